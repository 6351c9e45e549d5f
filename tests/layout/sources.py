"""Reading the tree: its source files, their includes, their code without comments and strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("include", "capi", "cpp", "bindings", "examples", "python", "tests", "bench")
SUFFIXES = {".h", ".hpp", ".c", ".cpp", ".py", ".def"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


@dataclass(frozen=True)
class Include:
    line: int
    quoted: bool
    name: str


@dataclass(frozen=True)
class Source:
    path: Path  # relative to the root
    text: str

    @property
    def folder(self) -> str:
        """The folder whose rules apply: cpp/<layer>, or the first part of the path."""
        parts = self.path.parts
        return "/".join(parts[:2]) if parts[0] in ("cpp", "bindings", "tests", "examples") else parts[0]

    @property
    def layer(self) -> str:
        return self.path.parts[1] if self.path.parts[0] == "cpp" else ""

    def includes(self) -> list[Include]:
        return [Include(self.text.count("\n", 0, match.start(2)) + 1, match[1] == '"', match[2])
                for match in INCLUDE.finditer(self.text)]

    def code(self) -> str:
        """The text with comments and literals blanked out; line numbers stay."""
        return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), self.text)


def sources() -> list[Source]:
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts[len(ROOT.parts):])
            if path.suffix in SUFFIXES and path.is_file() and not hidden:
                found.append(Source(path.relative_to(ROOT), path.read_text(errors="replace")))
    return found


def is_native(source: Source) -> bool:
    return source.path.suffix in {".h", ".hpp", ".c", ".cpp", ".def"}
