#!/usr/bin/env python3
"""Writes the tables of docs/configuration.md from the options that a library has.

    configuration.py --library build/release/libcomqtt.so            write them
    configuration.py --library build/release/libcomqtt.so --check    change nothing; fail when the page is out of date
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/configuration.md"
BEGIN = "<!-- made by `make docs` from here -->\n"
END = "<!-- to here -->\n"
BOOL, INT = 0, 1

# Keys that begin so, in the order of the page; the first for all others.
GROUPS = (
    ("", "General"),
    ("capabilities.", "Capabilities"),
    ("capabilities.compatibilities.", "Compatibilities"),
    ("storage", "Storage"),
    ("limits.", "Limits"),
    ("hooks.", "Hooks"),
)


class Info(ctypes.Structure):
    """comqtt_option_info"""
    _fields_ = [("struct_size", ctypes.c_size_t), ("key", ctypes.c_char_p), ("type", ctypes.c_int32),
                ("default_text", ctypes.c_char_p), ("minimum", ctypes.c_int64), ("maximum", ctypes.c_int64),
                ("text", ctypes.c_char_p)]


def options_of(library: Path) -> list[tuple]:
    """(key, type, default, minimum, maximum, text) of each, as the library lists them."""
    found = []
    callback = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.POINTER(Info))

    @callback
    def take(_user, info):
        each = info.contents
        found.append((each.key.decode(), each.type, each.default_text.decode(), each.minimum, each.maximum,
                      each.text.decode()))
        return True

    lib = ctypes.CDLL(str(library.resolve()))
    lib.comqtt_options_each.argtypes = [callback, ctypes.c_void_p]
    if lib.comqtt_options_each(take, None) != 0:
        sys.exit("comqtt_options_each failed")
    return found


def group_of(key: str) -> str:
    return max((prefix for prefix, _ in GROUPS if key.startswith(prefix)), key=len)


def values(kind: int, minimum: int, maximum: int) -> str:
    if kind == BOOL:
        return "true, false"
    return f"{minimum:,} to {maximum:,}" if kind == INT else ""


def tables(options: list[tuple]) -> str:
    text = ""
    for prefix, title in GROUPS:
        rows = [each for each in options if group_of(each[0]) == prefix]
        if not rows:
            continue
        text += f"\n## {title}\n\n| key | default | values | meaning |\n|---|---|---|---|\n"
        for key, kind, default, minimum, maximum, words in rows:
            text += f"| `{key}` | `{default}` | {values(kind, minimum, maximum)} | {words.replace('|', '/')} |\n"
    return text + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    old = PAGE.read_text()
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = before + BEGIN + tables(options_of(arguments.library)) + END + after
    if arguments.check:
        if new != old:
            print(f"{PAGE.relative_to(ROOT)} is out of date: `make docs` writes it")
            return 1
        print("docs/configuration.md has every option")
        return 0
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
