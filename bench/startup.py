#!/usr/bin/env python3
"""Measures how comqtt starts on a store with many sessions: see bench/README.md."""

import argparse
import json
import os
import random
import shlex
import shutil
import statistics
import sys
import tempfile
import time

from harness import brokers, store_file, table
from harness.bench import ROOT, CpuMeter
from harness.client import Client

GOAL_SECONDS = 10
GOAL_MIB = 600
STATES = {
    "closed in order, cached": (),
    "closed in order, from disk": (store_file.drop_from_memory,),
    "not closed in order, from disk": (store_file.mark_unclean, store_file.drop_from_memory),
}
HEADER = ("start", "s to first CONNACK", "MiB", "MiB peak", "CPU s", "ms to all messages: first",
          "p50", "max", "MiB then", "s to end", "goal", "")
COLUMNS = (("start_seconds", 1), ("rss_bytes", 1 / (1 << 20)), ("peak_rss_bytes", 1 / (1 << 20)),
           ("cpu_seconds", 1), ("first_ms", 1), ("p50_ms", 1), ("max_ms", 1),
           ("rss_after_bytes", 1 / (1 << 20)), ("stop_seconds", 1))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comqtt", default=os.path.join(ROOT, "build/release/comqtt"))
    parser.add_argument("--comqtt-args", default="", help="more flags for comqtt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--per-session", type=int, default=10,
                        help="subscriptions, and as many messages waiting (10)")
    parser.add_argument("--size", type=int, default=64, help="bytes of a payload (64)")
    parser.add_argument("--clients", type=int, default=200, help="sessions that come back (200)")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--folder", default="/var/tmp", metavar="DIR",
                        help="where the file is: on the disk to measure (/var/tmp)")
    parser.add_argument("--json", metavar="FILE", help="every run, for programs")
    return parser.parse_args()


def process_bytes(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def come_back(port, contents, session):
    """Milliseconds from connecting to the last message; each must be the one that is due."""
    start = time.monotonic()
    with Client(port, store_file.client_id(session)) as client:
        found = client.take(contents.per_session)
        ms = (time.monotonic() - start) * 1000
        if not client.session_present:
            raise RuntimeError(f"session {session} is not there")
    expected = [(store_file.topic(session, number), store_file.payload(contents, session, number))
                for number in range(contents.per_session)]
    if found != expected:
        raise RuntimeError(f"session {session} got {found}")
    return ms


def measure(options, contents, path, sessions):
    """One start, in a dict of figures."""
    start = time.monotonic()
    broker = brokers.store_at(options.comqtt, path, options.comqtt_args)
    with brokers.RunningBroker(broker, options.threads, os.sched_getaffinity(0), False,
                               options.folder, patience=600, settle=0) as running:
        with Client(running.port, "bench-probe"):
            figures = {"start_seconds": time.monotonic() - start,
                       "cpu_seconds": cpu_seconds(running.pid),
                       "rss_bytes": process_bytes(running.pid, "VmRSS:"),
                       "peak_rss_bytes": process_bytes(running.pid, "VmHWM:")}
        times = [come_back(running.port, contents, session) for session in sessions]
        figures |= {"first_ms": times[0], "p50_ms": statistics.median(times), "max_ms": max(times),
                    "rss_after_bytes": process_bytes(running.pid, "VmRSS:")}
        stopping = time.monotonic()
    return figures | {"stop_seconds": time.monotonic() - stopping}


def row(state, figures):
    cells = [table.number(figures[key] * scale) for key, scale in COLUMNS]
    met = figures["start_seconds"] < GOAL_SECONDS and figures["rss_bytes"] < GOAL_MIB << 20
    return [state, *cells, f"< {GOAL_SECONDS} s, < {GOAL_MIB} MiB", "met" if met else "MISSED"]


def main():
    options = parse_arguments()
    contents = store_file.Contents(options.sessions, options.per_session, options.size)
    total = contents.sessions * contents.per_session
    clients = min(options.clients, contents.sessions)
    chosen = random.Random(1).sample(range(contents.sessions), clients)
    runs, rows, busiest = [], [], 0
    print(f"python3 {shlex.join(sys.argv)}\n{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} "
          f"cores, Linux {os.uname().release}, files on {brokers.file_system(options.folder)}, "
          f"medians of {options.reps}")
    with tempfile.TemporaryDirectory(prefix="comqtt-startup-", dir=options.folder) as folder:
        made, path = os.path.join(folder, "made.db"), os.path.join(folder, "comqtt.db")
        store_file.make(made, options.comqtt, contents)
        print(f"{contents.sessions:,} sessions, {total:,} subscriptions, {total:,} messages of "
              f"{contents.size} B: {os.path.getsize(made) >> 20} MiB\n")
        for state, preparations in STATES.items():
            of_state = []
            for _ in range(options.reps):
                shutil.copyfile(made, path)
                for prepare in preparations:
                    prepare(path)
                meter = CpuMeter()
                of_state.append(measure(options, contents, path, chosen))
                busiest = max(busiest, meter.others())
                runs.append({"start": state, **of_state[-1]})
            rows.append(row(state, table.combine(of_state)))
    print(table.markdown(HEADER, rows))
    if busiest > 0.15:
        print(f"\nother programs used up to {busiest:.2f} cores meanwhile: times are too long")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(runs, file, indent=1)
    return 0 if all(line[-1] == "met" for line in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
