#!/usr/bin/env python3
"""Measures comqtt against its peers: see bench/README.md.

Each broker is started afresh for each run, pinned to one core, the load generator to another;
the brokers take turns within a repetition, so that a slow minute of the machine meets them all.
"""

import argparse
import json
import os
import shlex
import sys
import time

from harness import brokers, cases, durable, table
from harness.bench import Bench

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
    parser.add_argument("--folder", default="/var/tmp", metavar="DIR",
                        help="where brokers keep their files: on the disk to measure (/var/tmp)")
    parser.add_argument("--json", metavar="FILE", help="every run, for programs")
    options = parser.parse_args()
    options.reps = options.reps or (1 if options.quick else 3)
    options.duration = options.duration or (1.0 if options.quick else 3.0)
    options.idle = options.idle or (1000 if options.quick else 5000)
    options.retained = options.retained or (100_000 if options.quick else 1_000_000)
    return options


def main():
    options = parse_arguments()
    most = brokers.raise_descriptor_limit() - SPARE_DESCRIPTORS
    if options.idle > most:
        print(f"--idle {options.idle}: the limit of descriptors allows {most}", file=sys.stderr)
        options.idle = most
    bench = Bench(options)
    known = cases.all_cases(options.idle, options.retained) + durable.all_cases()
    chosen = cases.select(known, options.only)
    if options.peers_only:
        chosen = [case for case in chosen if case.variants is None or case.durable]
    print(f"python3 {shlex.join(sys.argv)}")
    version = "5.0" if options.protocol == 5 else "3.1.1"
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, Linux {os.uname().release}, "
          f"MQTT {version}, {options.reps} repetitions: medians; lost and the like: the worst; "
          f"files on {brokers.file_system(options.folder)}\n")
    rows, durable_rows = [], []
    for case in chosen:
        found = bench.show(case, bench.run_case(case))
        (durable_rows if case.durable else rows).extend(found)
    header = ["", "case", "figure", *bench.names, "mosquitto / comqtt", "goal", ""]
    for title, lines in ((header, rows), (durable.HEADER, durable_rows)):
        if lines:
            print("\n" + table.markdown(title, lines))
    print()
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
