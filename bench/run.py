#!/usr/bin/env python3
"""Measures comqtt against its peers: see bench/README.md.

Each broker is started afresh for each run, pinned to one core, the load generator to another;
the brokers take turns within a repetition, so that a slow minute of the machine meets them all.
"""

import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
import time

from harness import brokers, cases, table

SPARE_DESCRIPTORS = 200  # what a broker needs beside its connections
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comqtt", default=os.path.join(ROOT, "build/release/comqtt"))
    parser.add_argument("--comqtt-args", default="", help="more flags for comqtt")
    parser.add_argument("--mosquitto", default="/usr/sbin/mosquitto")
    parser.add_argument("--loadgen", help="comqtt_loadgen (found beside comqtt by default)")
    parser.add_argument("--relay", nargs="?", const="", metavar="PATH",
                        help="also the relay, the floor, where it can take part")
    parser.add_argument("--broker", action="append", default=[], metavar="NAME=COMMAND",
                        help="a further peer; {port} and {threads} in the command are filled in")
    parser.add_argument("--peers-only", action="store_true", help="without comqtt")
    parser.add_argument("--only", help="cases, for instance a,b,i,t")
    parser.add_argument("--reps", type=int, help="repetitions (3; 1 with --quick)")
    parser.add_argument("--duration", type=float, help="seconds per run (3; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="a look, not a measurement")
    parser.add_argument("--protocol", type=int, choices=(4, 5), default=4)
    parser.add_argument("--idle", type=int,
                        help="idle connections, to 20000 (5000; 1000 with --quick)")
    parser.add_argument("--retained", type=int, help="(1000000; 100000 with --quick)")
    parser.add_argument("--no-realtime", action="store_true",
                        help="no SCHED_FIFO for the latency cases")
    parser.add_argument("--json", metavar="FILE", help="every run, for programs")
    options = parser.parse_args()
    options.reps = options.reps or (1 if options.quick else 3)
    options.duration = options.duration or (1.0 if options.quick else 3.0)
    options.idle = options.idle or (1000 if options.quick else 5000)
    options.retained = options.retained or (100_000 if options.quick else 1_000_000)
    return options


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
        if case.threads is not None:
            return [(f"comqtt/{count}", broker, count) for broker in self.brokers
                    if broker.name == "comqtt" for count in case.threads]
        return [(broker.name, broker, 1) for broker in self.brokers
                if case.relay or not broker.is_relay]

    def measure(self, case, name, broker, threads):
        """One run: a dict of figures, or of an error."""
        unpinned = case.threads is not None
        realtime = case.realtime and not self.options.no_realtime
        broker_cores = self.all_cores if unpinned else self.broker_core
        loadgen_cores = self.all_cores if unpinned else self.loadgen_core
        try:
            with brokers.RunningBroker(broker, threads, broker_cores, realtime) as running:
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
        """Prints what a case gave and returns its rows of the table."""
        print(f"{case.id}) {case.title}\n  comqtt_loadgen {shlex.join(self.arguments(case))}")
        combined = {name: table.combine(of_one) for name, of_one in runs.items()}
        for name, of_one in runs.items():
            errors = [run["error"] for run in of_one if "error" in run]
            print(table.details(name, combined[name], errors))
        sys.stdout.flush()
        if case.threads is not None:
            return [table.thread_row(case, combined, self.names)]
        return table.peer_rows(case, combined, self.names)


def main():
    options = parse_arguments()
    most = brokers.raise_descriptor_limit() - SPARE_DESCRIPTORS
    if options.idle > most:
        print(f"--idle {options.idle}: the limit of descriptors allows {most}", file=sys.stderr)
        options.idle = most
    bench = Bench(options)
    chosen = cases.select(cases.all_cases(options.idle, options.retained), options.only)
    if options.peers_only:
        chosen = [case for case in chosen if case.threads is None]
    print(f"python3 {shlex.join(sys.argv)}")
    version = "5.0" if options.protocol == 5 else "3.1.1"
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, Linux {os.uname().release}, "
          f"MQTT {version}, {options.reps} repetitions: medians; lost and the like: the worst\n")
    rows = []
    for case in chosen:
        rows += bench.show(case, bench.run_case(case))
    header = ["", "case", "figure", *bench.names, "mosquitto / comqtt", "goal", ""]
    print("\n" + table.markdown(header, rows) + "\n")
    for name, command in sorted(bench.commands.items()):
        print(f"{name}: {command}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"commands": bench.commands, "runs": bench.runs}, file, indent=1)
    busiest = max((run["others_cores"] for run in bench.runs), default=0)
    if busiest > 0.15:
        print(f"\nother programs used up to {busiest:.2f} cores meanwhile: rates and latencies "
              "are too low, compare CPU per message only")
    failed = [run for run in bench.runs if "error" in run]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
