#!/usr/bin/env python3
"""The exported symbols, the export map, the symbol list and the header name the same functions.

usage: check_symbols.py [--library build/libcomqtt.so] [--root DIR]

Without --library only the texts are compared.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

PARTS = ("base", "options", "server", "client", "packet", "hooks", "storage", "store", "observe")


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|^#.*?$", " ", text, flags=re.S | re.M)


def of_header(root: Path) -> set[str]:
    names: set[str] = set()
    for part in PARTS:
        text = without_comments((root / "include/comqtt" / f"{part}.h").read_text())
        names.update(re.findall(r"COMQTT_API\s+[^;(]*?\b(\w+)\s*\(", text))
    return names


def of_map(root: Path) -> set[str]:
    text = without_comments((root / "capi/comqtt.map").read_text())
    return set(re.findall(r"^\s+(comqtt_\w+);", text, flags=re.M))


def of_list(root: Path) -> list[tuple[str, str]]:
    rows = []
    for line in (root / "capi/symbols.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, since = line.split()
            rows.append((name, since))
    return rows


def of_library(library: Path) -> set[str]:
    listing = subprocess.run(["nm", "-D", "--defined-only", str(library)], check=True, capture_output=True, text=True)
    names = set()
    for line in listing.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":  # the version node itself
            names.add(name.split("@")[0])
    return names


def since_in_header(root: Path) -> dict[str, str]:
    """Function -> the version in the comment right before it."""
    found: dict[str, str] = {}
    for part in PARTS:
        text = (root / "include/comqtt" / f"{part}.h").read_text()
        for match in re.finditer(r"/\*\*((?:(?!\*/).)*)\*/\s*COMQTT_API\s+[^;(]*?\b(\w+)\s*\(", text, flags=re.S):
            comment = re.sub(r"\s*\n\s*\*\s*", " ", match.group(1))
            since = re.search(r"Since\s+(\d+\.\d+)\.", comment)
            if since:
                found[match.group(2)] = since.group(1)
    return found


def differences(what: str, wanted: set[str], got: set[str]) -> list[str]:
    lines = [f"{what}: missing {name}" for name in sorted(wanted - got)]
    lines += [f"{what}: not in the header: {name}" for name in sorted(got - wanted)]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    arguments = parser.parse_args()
    root = arguments.root

    header = of_header(root)
    listed = of_list(root)
    names = [name for name, _ in listed]
    problems = differences("comqtt.map", header, of_map(root))
    problems += differences("symbols.txt", header, set(names))
    if names != sorted(set(names)):
        problems.append("symbols.txt: not sorted, or a name twice")
    documented = since_in_header(root)
    for name, since in listed:
        if name in header and documented.get(name) != since:
            problems.append(f"{name}: symbols.txt says since {since}, its comment says {documented.get(name)}")
    problems += [f"{name}: has another prefix than comqtt_" for name in sorted(header) if not name.startswith("comqtt_")]
    if arguments.library:
        problems += differences(arguments.library.name, header, of_library(arguments.library))
    for problem in problems:
        print(problem)
    print(f"{len(header)} functions, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
