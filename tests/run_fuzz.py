#!/usr/bin/env python3
"""Runs every libFuzzer target for a while. New inputs stay in the build folder, beside the committed corpora."""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def fuzz(target: Path, seconds: int) -> tuple[str, bool]:
    name = target.name.removeprefix("fuzz_")
    found = target.parent / "corpus" / name
    crashes = target.parent / "crashes"
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    seeds = ROOT / "tests/fuzz/corpus" / name
    if not seeds.is_dir():
        return f"{target.name}: no corpus in tests/fuzz/corpus/{name}", False
    log = target.with_suffix(".log")
    with log.open("w") as output:
        code = subprocess.run(
            [target, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
             f"-artifact_prefix={crashes}/{name}-", found, seeds],
            stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    lines = log.read_text(errors="replace").splitlines()
    runs = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
    if code:
        return "\n".join([*lines[-60:], f"{target.name}: FAILED, exit code {code}"]), False
    return f"{target.name}: passed, {runs} inputs", True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build/fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", help="this target only; may be given again")
    options = parser.parse_args()

    names = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("fuzz_*.cpp"))
    if options.only:
        names = [name for name in names if name in options.only]
    passed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        targets = [(options.build / name).resolve() for name in names]
        for text, good in pool.map(lambda target: fuzz(target, options.seconds), targets):
            print(text, flush=True)
            passed += good
    print(f"{passed} passed, {len(names) - passed} failed")
    return 0 if passed == len(names) and names else 1


if __name__ == "__main__":
    sys.exit(main())
