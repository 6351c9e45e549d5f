#!/usr/bin/env python3
"""What grows: broker CPU per item at several sizes, and the round trips of other clients meanwhile.

    python3 bench/scale.py                              # everything, 10,000 and 100,000, 1 and 2 threads
    python3 bench/scale.py --only Retained --threads 2 --sizes 100000 --store

The drivers are those of tests/scale, which checks the same as ratios.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / each) for each in ("scale", "e2e", "durability")]

import structures_messages  # noqa: E402
import structures_sessions  # noqa: E402
import structures_subscriptions  # noqa: E402
from bulk import raise_descriptor_limit  # noqa: E402
from harness import table  # noqa: E402
from measure import measure  # noqa: E402
from structure import Structure  # noqa: E402

MODULES = (structures_sessions, structures_subscriptions, structures_messages)
HEADER = ["structure", "phase", "threads", "store", "N", "us per item", "s", "others: ms p50", "p99", "max", "goal"]
GOAL_MS = 20.0  # p99 of the others


def structures():
    found = [each for module in MODULES for each in vars(module).values()
             if isinstance(each, type) and issubclass(each, Structure) and each.__module__ == module.__name__]
    return {each.__name__: each for each in found}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comqtt", type=Path, default=ROOT / "build/release/comqtt")
    parser.add_argument("--only", help=f"of {','.join(structures())}")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of items (those of the tests)")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--store", action="store_true", help="with a store, too")
    parser.add_argument("--no-realtime", action="store_true",
                        help="no SCHED_FIFO for the broker and the others: what loads the broker takes their processors")
    return parser.parse_args()


@contextlib.contextmanager
def whole_processors():
    """The kernel takes 5 % of each second from realtime threads: a pause of 50 ms that is none of the broker's. Needs root."""
    limit = Path("/proc/sys/kernel/sched_rt_runtime_us")
    before = limit.read_text()
    try:
        limit.write_text("-1")
    except OSError as problem:
        print(f"{limit} stays as it is ({problem.strerror}): expect pauses of 50 ms", file=sys.stderr)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            limit.write_text(before)


def main():
    options = parse_arguments()
    raise_descriptor_limit()
    with contextlib.nullcontext() if options.no_realtime else whole_processors():
        return measure_all(options)


def measure_all(options):
    chosen = [structures()[name] for name in options.only.split(",")] if options.only else structures().values()
    rows = []
    for make in chosen:
        for threads in map(int, options.threads.split(",")):
            for store in (False, True) if options.store else (False,):
                for size in options.sizes or make.sizes():
                    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
                        figures = measure(make, size, options.comqtt.resolve(), Path(folder) / "b", threads=threads,
                                          store=store, realtime=not options.no_realtime)
                    for each in figures:
                        times = [each.others[name] * 1000 for name in ("p50", "p99", "max")]
                        rows.append([make.__name__, each.phase, str(threads), "yes" if store else "no", f"{size:,}",
                                     f"{each.per_item * 1e6:.3g}", f"{each.seconds:.2f}",
                                     *(f"{ms:.3g}" for ms in times), "met" if times[1] < GOAL_MS else "MISSED"])
                    print(make.__name__, threads, store, size, file=sys.stderr)
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, Linux {os.uname().release}; goal: p99 of the "
          f"others below {GOAL_MS:.0f} ms\n")
    print(table.markdown(HEADER, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
