#!/usr/bin/env python3
"""Runs the test suites of one build folder, one after another.

A suite that passed is not run again while nothing it depends on has changed; that is said in so many words, and
`--force` or CI=true runs it all the same. A suite that ran no test, or skipped one, has failed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What each build asks of its suites.
SANITIZERS = {
    "asan": {
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    },
    "tsan": {"TSAN_OPTIONS": "second_deadlock_stack=1:halt_on_error=1"},
}
# conformance: its check reads the tags in every test, those of e2e among them.
SUITE_SECONDS = 1200
CTEST_FOLDERS = ("unit", "sim", "capi", "fuzz", "abi", "layout", "install", "conformance", "docs", "e2e", "durability",
                 "traffic", "scale", "hostile")
# Folders of black-box tests, which take --comqtt and --threads. A folder without a test is left out.
BLACK_BOX = {
    "e2e": {"release": "1,2", "asan": "2", "tsan": "2"},
    "durability": {"release": "1,2", "asan": "2", "tsan": "2"},
    "traffic": {"release": "1,2,4", "asan": "1,2,4", "tsan": "2,4"},
    "scale": {"release": "1,2,4", "asan": "2", "tsan": "2"},
    "hostile": {"release": "1,2,4", "asan": "2", "tsan": "2"},
}
# These wait more than they compute: many run beside one another, but for those with the marker "alone". Others disturb
# what the scale tests measure, and receivers of the traffic tests that have to read in time.
SIDE_BY_SIDE = ("e2e", "durability", "hostile")
TESTS_PER_CORE = 2
# With a sanitizer a hostile client needs long to be stopped.
SANITIZED = {"hostile": ["--store", "with"]}


@dataclass
class Suite:
    name: str
    command: list[str]
    inputs: list[str]  # globs below the root; a change in any of these files makes the suite run again
    environment: dict[str, str] = field(default_factory=dict)


def suites(preset: str, build: Path) -> list[Suite]:
    jobs = str(os.cpu_count() or 1)
    environment = sanitizer_environment(preset, build)
    quiet = [] if preset not in SANITIZERS else ["setarch", platform.machine(), "-R"]  # TSan needs a fixed layout
    out = f"build/{preset}"
    extra = SANITIZED if preset in SANITIZERS else {}
    program = [f"{out}/comqtt", f"{out}/libcomqtt.so.*"]
    pytest = [str(ROOT / "build/venv/bin/python"), "-m", "pytest", "-q", "-ra", "-o", "faulthandler_timeout=120"]

    if preset == "debug":  # the ABI checks want debug information, and nothing else does
        return [Suite("abi", ["ctest", "--test-dir", str(build), "--output-on-failure", "--no-tests=error", "-L", "abi"],
                      [f"{out}/libcomqtt.so.*", "include/**/*", "capi/*", "tests/abi/**/*"])]

    found = [Suite("ctest", [*quiet, "ctest", "--test-dir", str(build), "--output-on-failure", "--no-tests=error",
                             "-j", jobs],
                   [f"{out}/*", "cpp/**/*", "capi/*", "include/**/*", "bindings/**/*", "bench/**/*", "examples/**/*",
                    "tests/*", *(f"tests/{each}/**/*" for each in CTEST_FOLDERS), "pkgconfig/*", "cmake/*",
                    "docs/*", "CMakeLists.txt", "README.md"], environment)]
    for name, threads in BLACK_BOX.items():
        folder = f"tests/{name}"
        files = [path.read_text() for path in (ROOT / folder).glob("test_*.py")]
        command = [*quiet, *pytest, folder, "--comqtt", str(build / "comqtt"),
                   "--threads", threads.get(preset, threads["release"]), *extra.get(name, [])]
        inputs = [*program, f"{folder}/**/*", "tests/*.py", "tests/e2e/*.py"]
        beside = ["-n", str(TESTS_PER_CORE * int(jobs)), "-m", "not alone"] if name in SIDE_BY_SIDE else []
        if files:
            found.append(Suite(name, [*command, *beside], inputs, environment))
        if beside and any("mark.alone" in text for text in files):
            found.append(Suite(f"{name}-alone", [*command, "-m", "alone"], inputs, environment))
    if preset not in SANITIZERS:
        paths = os.pathsep.join([str(ROOT / "python"), str(build)])
        for name, folder in (("python", "tests/python"), ("python-examples", "examples/python")):
            if any((ROOT / folder).glob("test_*.py")):
                found.append(Suite(name, [*pytest, folder],
                                   [*program, f"{out}/*.so", "python/**/*", f"{folder}/**/*"], {"PYTHONPATH": paths}))
    return found


def sanitizer_environment(preset: str, build: Path) -> dict[str, str]:
    """Reports also go to files: one of a broker that a test has started is not lost."""
    log = build / "reports" / "report"
    return {name: f"{options}:log_path={log}" for name, options in SANITIZERS.get(preset, {}).items()}


def fingerprint(suite: Suite) -> str:
    digest = hashlib.sha256(repr((suite.command, suite.environment)).encode())
    files = {path for glob in suite.inputs for path in ROOT.glob(glob) if path.is_file()}
    for path in sorted(files):
        if "__pycache__" in path.parts or path.suffix in (".pyc", ".log") or path.name.startswith(".ninja"):
            continue
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def counts(report: Path) -> tuple[int, int]:
    """Tests run and tests skipped, from a JUnit file. A script that says "skipped" on its last line has skipped."""
    ran = skipped = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        said = (case.findtext("system-out") or "").rstrip().endswith("skipped")
        if said or case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            print(f"skipped: {case.get('classname')} {case.get('name')}")
            skipped += 1
        else:
            ran += 1
    return ran, skipped


def run(suite: Suite, reports: Path) -> str:
    """An empty text, or why the suite has failed."""
    junit = reports / f"{suite.name}.xml"
    junit.unlink(missing_ok=True)
    flag = ["--output-junit", str(junit)] if "ctest" in suite.command else [f"--junitxml={junit}"]
    try:
        code = subprocess.run([*suite.command, *flag], cwd=ROOT, env={**os.environ, **suite.environment},
                              timeout=SUITE_SECONDS).returncode
    except subprocess.TimeoutExpired:
        return f"not finished after {SUITE_SECONDS} s"
    if code:
        return f"exit code {code}"
    ran, skipped = counts(junit)
    if skipped:
        return f"{skipped} tests were skipped"
    return "" if ran else "no test ran"


def sanitizer_reports(folder: Path) -> str:
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("report.*"))]
    for text in texts:
        print(text)
    return f"{len(texts)} sanitizer reports, printed above" if texts else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="release")
    parser.add_argument("--only", action="append", help="run this suite only; may be given again")
    parser.add_argument("--force", action="store_true", help="run also what passed and has not changed")
    options = parser.parse_args()

    build = ROOT / "build" / options.preset
    reports = build / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    force = options.force or os.environ.get("CI") == "true"
    summary, failed = [], False
    for suite in suites(options.preset, build):
        if options.only and suite.name not in options.only:
            continue
        title = f"{options.preset}: {suite.name}"
        stamp = reports / f"{suite.name}.passed"
        state = fingerprint(suite)
        if not force and stamp.exists() and stamp.read_text() == state:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(stamp.stat().st_mtime))
            summary.append(f"{title}: not run again, unchanged since it passed at {when} (FORCE=1 runs it)")
            continue
        stamp.unlink(missing_ok=True)
        for old in reports.glob("report.*"):
            old.unlink()
        print(f"== {title}", flush=True)
        started = time.monotonic()
        problem = run(suite, reports) or sanitizer_reports(reports)
        seconds = time.monotonic() - started
        if problem:
            failed = True
            summary.append(f"{title}: FAILED, {problem} ({seconds:.0f} s)")
        else:
            stamp.write_text(state)
            summary.append(f"{title}: passed ({seconds:.0f} s)")
    print(*summary, sep="\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
