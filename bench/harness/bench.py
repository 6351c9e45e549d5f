"""Runs cases: starts the brokers in turn, the load generator beside them, collects the figures."""

import json
import os
import resource
import shlex
import subprocess
import sys
import time

from harness import brokers, durable, table

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def find_program(name, options):
    """A program of bench/, beside comqtt or in the usual build folders."""
    beside = os.path.dirname(os.path.abspath(options.comqtt))
    folders = (os.path.join(beside, "bench"), beside, os.path.join(ROOT, "build/bench"))
    for folder in folders:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise SystemExit(f"{name} not found in {', '.join(folders)}; build it: bench/README.md")


def make_brokers(options):
    found = []
    if not options.peers_only:
        if not os.access(options.comqtt, os.X_OK):
            raise SystemExit(f"no {options.comqtt}: give --comqtt PATH or --peers-only")
        found.append(brokers.comqtt(os.path.abspath(options.comqtt), options.comqtt_args))
    if os.access(options.mosquitto, os.X_OK):
        found.append(brokers.mosquitto(options.mosquitto))
    else:
        print(f"no {options.mosquitto}: measuring without it", file=sys.stderr)
    if options.relay is not None:
        found.append(brokers.relay(options.relay or find_program("comqtt_relay", options)))
    found += [brokers.custom(text) for text in options.broker]
    return found


class CpuMeter:
    """Cores kept busy by others than this program and its children, since it was made."""

    def __init__(self):
        self._start = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(field) for field in file.readline().split()[1:8]]
        idle = ticks[3] + ticks[4]
        used = sum(sum(resource.getrusage(who)[:2])
                   for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK"), used, time.monotonic()

    def others(self):
        busy, used, now = (end - start for end, start in zip(self._read(), self._start))
        return max(0.0, (busy - used) / now)


class Bench:
    def __init__(self, options):
        self.options = options
        self.loadgen = os.path.abspath(options.loadgen or find_program("comqtt_loadgen", options))
        self.brokers = make_brokers(options)
        self.names = [broker.name for broker in self.brokers]
        self.saving_mosquitto = brokers.mosquitto(options.mosquitto, saving=True)
        cores = sorted(os.sched_getaffinity(0))
        self.broker_core, self.loadgen_core = {cores[0]}, {cores[-1]}
        self.all_cores = {cores[0], cores[-1]}
        self.runs = []
        self.commands = {}

    def arguments(self, case):
        """The load generator's flags, without port and process."""
        args = ["--scenario", *case.args, "--protocol", str(self.options.protocol)]
        if case.timed:
            warmup = 0.3 if self.options.quick else 0.5
            args += ["--warmup", str(warmup), "--duration", str(self.options.duration)]
        return args

    def contenders(self, case):
        """(name in the results, broker, threads) of a case."""
        if case.variants is not None:
            path = os.path.abspath(self.options.comqtt)
            flags = f"{case.flags} {self.options.comqtt_args}"
            found = [(f"comqtt/{variant.name}", brokers.comqtt(path, flags, variant.store),
                      variant.threads) for variant in case.variants if "comqtt" in self.names]
            if case.durable and "mosquitto" in self.names:
                found.append(("mosquitto", self.saving_mosquitto, 1))
            return found
        return [(broker.name, broker, 1) for broker in self.brokers
                if case.relay or not broker.is_relay]

    def measure(self, case, name, broker, threads):
        """One run: a dict of figures, or of an error."""
        realtime = case.realtime and not self.options.no_realtime
        broker_cores = self.all_cores if case.free else self.broker_core
        loadgen_cores = self.all_cores if case.free else self.loadgen_core
        try:
            with brokers.RunningBroker(broker, threads, broker_cores, realtime,
                                       self.options.folder) as running:
                self.commands[name] = shlex.join(running.command)
                command = [self.loadgen, *self.arguments(case), "--json", "--port",
                           str(running.port), "--broker-pid", str(running.pid)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=600,
                                      preexec_fn=brokers.placement(loadgen_cores, realtime))
                if text := running.ended():
                    return {"error": text}
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            return {"error": str(error)}
        if done.returncode != 0:
            return {"error": done.stderr.strip()[-500:]}
        return json.loads(done.stdout)

    def run_case(self, case):
        """All repetitions, the brokers in turn; returns the runs of each by name."""
        results = {name: [] for name, _, _ in self.contenders(case)}
        for repetition in range(self.options.reps):
            for name, broker, threads in self.contenders(case):
                meter = CpuMeter()
                figures = self.measure(case, name, broker, threads)
                figures["others_cores"] = meter.others()
                results[name].append(figures)
                self.runs.append({"case": case.id, "broker": name, "repetition": repetition,
                                  "arguments": self.arguments(case), **figures})
        return results

    def show(self, case, runs):
        """Prints what a case gave; returns its rows of the table of its kind."""
        print(f"{case.id}) {case.title}\n  comqtt_loadgen {shlex.join(self.arguments(case))}")
        combined = {name: table.combine(of_one) for name, of_one in runs.items()}
        for name, of_one in runs.items():
            errors = [run["error"] for run in of_one if "error" in run]
            print(table.details(name, combined[name], errors))
        sys.stdout.flush()
        if case.durable:
            return durable.rows(case, combined)
        if case.variants is not None:
            return [table.variant_row(case, combined, self.names)]
        return table.peer_rows(case, combined, self.names)
