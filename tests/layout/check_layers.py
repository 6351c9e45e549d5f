#!/usr/bin/env python3
"""Checks the tree against tests/layout/rules.py: includes, words, sizes, and that every header compiles alone."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rules
from sources import ROOT, Include, Source, is_native, sources


def closure(path: Path, found: dict[Path, Source], seen: set[Path]) -> set[Path]:
    """The file and every file of ours that it includes, directly or not."""
    if path in found and path not in seen:
        seen.add(path)
        for include in found[path].includes():
            for base in (Path("cpp"), Path("include"), Path("."), path.parent):
                closure(base / include.name, found, seen)
    return seen


def included_layer(include: Include) -> str:
    first = include.name.split("/")[0]
    return first if first in rules.LAYERS and "/" in include.name else ""


def check_own_include(source: Source, include: Include) -> str:
    """What is wrong with an include of a file of ours, or nothing."""
    if include.name == "comqtt.h" or include.name.startswith("comqtt/"):
        inside = source.layer and source.layer != "program" and source.layer != "plugins"
        return "the core does not know the C interface" if inside else ""
    target = included_layer(include)
    if source.folder.startswith(rules.OUTSIDERS):
        return "users of comqtt.h include nothing of cpp/" if target or include.name.startswith("capi/") else ""
    if not target:
        return ""
    if source.folder == "capi":
        return "" if target in rules.CAPI_MAY_INCLUDE else f"capi/ may not use {target}/"
    if source.folder == "include":
        return "the public header includes nothing of cpp/"
    if source.layer and target != source.layer and target not in rules.MAY_INCLUDE.get(source.layer, set()):
        return f"cpp/{source.layer} may not use {target}/"
    return check_floor(source, include) or check_part(source, include) if target == source.layer else ""


def check_part(source: Source, include: Include) -> str:
    """What is wrong with an include of a part of the shard, or nothing."""
    own, target = source.path.stem, Path(include.name).stem
    if source.folder != "cpp/broker" or own not in rules.PARTS or target == own:
        return ""
    wrong = target == "shard" or (target in rules.PARTS and target not in rules.PARTS[own])
    return f"a part of the shard, {own}, may not use {include.name}" if wrong else ""


def check_floor(source: Source, include: Include) -> str:
    """What is wrong with an include of the own layer, or nothing."""
    floors = rules.FLOORS.get(source.layer, {})
    own = source.path.parts[2] if len(source.path.parts) > 3 else ""
    names = include.name.split("/")
    target = names[1] if len(names) > 2 else ""
    if not own or include.name in rules.BELOW_FLOORS or target == own:
        return ""
    if own not in floors:
        return f"cpp/{source.layer}/{own} has no floor in rules.py"
    return "" if target in floors[own] else f"cpp/{source.layer}/{own} may not use {include.name}"


def check_foreign_include(source: Source, include: Include) -> str:
    """What is wrong with an include of a library or of the system, or nothing."""
    first = include.name.split("/")[0]
    allowed = rules.THIRD_PARTY.get(first)
    ours = source.layer or source.folder in ("capi", "include") or source.folder.startswith("bindings")
    if allowed is not None and ours and source.folder not in allowed:
        homes = ", ".join(sorted(allowed - rules.ANYWHERE or allowed)) or "tests"
        return f"<{include.name}> is for {homes} only"
    if include.name in rules.FORBIDDEN_STANDARD.get(source.layer, ()):
        return f"cpp/{source.layer} may not use <{include.name}>"
    system = include.name.startswith(rules.SYSTEM_FOLDERS) and include.name not in rules.PLAIN_DATA
    if system and source.layer in rules.NO_SYSTEM_FOLDERS:
        return f"cpp/{source.layer} may not use <{include.name}>"
    return ""


def check_includes(source: Source) -> list[str]:
    problems = []
    for include in source.includes():
        problem = check_own_include(source, include) or check_foreign_include(source, include)
        if problem:
            problems.append(f"{source.path}:{include.line}: {problem}")
        if include.quoted and source.layer in rules.LAYERS and not (ROOT / "cpp" / include.name).exists():
            problems.append(f'{source.path}:{include.line}: "{include.name}" is not a path below cpp/')
    return problems


CALLS = re.compile(r"(?<![\w.:>~])(?:std::|::)?(" + "|".join(rules.FORBIDDEN_CALLS) + r")\s*\(")
NAMES = re.compile(r"(?<![\w:])(" + "|".join(rules.FORBIDDEN_NAMES) + r")\b")
# A method of ours that happens to have such a name, e.g. Link::abort.
METHOD = re.compile(r"\b(?:void|bool|int|auto|Status)\s+(?:\w+::)?(" + "|".join(rules.FORBIDDEN_CALLS) + r")\s*\(")


def check_words(source: Source, found: dict[Path, Source]) -> list[str]:
    if source.folder != "capi" and (not source.layer or source.layer == "program"):
        return []
    code, problems = source.code(), []
    matches = [*CALLS.finditer(code), *NAMES.finditer(code)]
    ours = set()
    if matches:
        ours = {name for path in closure(source.path, found, set()) for name in METHOD.findall(found[path].code())}
    for match in matches:
        if match[1] not in ours or "::" in match[0]:
            line = code.count("\n", 0, match.start()) + 1
            problems.append(f"{source.path}:{line}: a library does not use {match[1]}")
    return problems


THREAD = re.compile(r"\bstd::j?thread\s*[({]|\bstd::async\b|\bpthread_create\b")


def check_threads(source: Source) -> list[str]:
    if (source.folder != "capi" and not source.layer) or source.path.as_posix() == rules.THREAD_MAKER:
        return []
    code = source.code()
    return [f"{source.path}:{code.count(chr(10), 0, match.start()) + 1}: threads are made by base/thread.hpp"
            for match in THREAD.finditer(code)]


def check_size(source: Source) -> list[str]:
    lines = source.text.count("\n")
    if lines > rules.LINES_REFUSE:
        return [f"{source.path}: {lines} lines; more than {rules.LINES_REFUSE} are split"]
    if lines > rules.LINES_ASK:
        print(f"note: {source.path} has {lines} lines; over {rules.LINES_ASK} asks for a reason")
    return []


def check_corpora() -> list[str]:
    problems = []
    for target in sorted((ROOT / "tests/fuzz").glob("fuzz_*.cpp")):
        corpus = ROOT / "tests/fuzz/corpus" / target.stem.removeprefix("fuzz_")
        if not any(path.is_file() for path in corpus.glob("*")):
            problems.append(f"{target.relative_to(ROOT)}: no corpus in {corpus.relative_to(ROOT)}")
    return problems


def check_version() -> list[str]:
    """The version stands in CMakeLists.txt and in the public header; both must say the same."""
    project = re.search(r"project\(comqtt\s+VERSION (\d+)\.(\d+)\.(\d+)", (ROOT / "CMakeLists.txt").read_text())
    header = (ROOT / "include/comqtt/base.h").read_text()
    stated = tuple(re.search(rf"#define COMQTT_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))
    if stated != project.groups():
        return [f"include/comqtt/base.h says version {stated}, CMakeLists.txt {project.groups()}"]
    return []


def compile_alone(name: str, command: list[str], probe: Path, stamp: Path | None) -> str:
    """The compiler's complaint, or nothing. `stamp` exists when the very same text has compiled before."""
    if stamp and stamp.exists():
        return ""
    done = subprocess.run([*command, str(probe)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        return f"{name} does not compile alone:\n{done.stdout}"
    if stamp:
        stamp.touch()
    return ""


def header_jobs(found: list[Source], scratch: Path) -> list[tuple[Path, list[str], Path]]:
    cpp = ["c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-DFMT_HEADER_ONLY=1",
           "-DSPDLOG_HEADER_ONLY", "-DSPDLOG_FMT_EXTERNAL", "-DASIO_STANDALONE", "-DASIO_NO_DEPRECATED",
           "-Icpp", "-Iinclude", "-I."]
    c = ["cc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Iinclude"]
    jobs = []
    for source in found:
        if source.path.suffix == ".hpp" and (source.layer or source.folder == "capi"):
            # Through a file that includes it twice: a missing guard is found, `#pragma once` is no main-file warning.
            probe = scratch / (str(source.path).replace("/", "_") + ".cpp")
            probe.write_text(f'#include "{ROOT / source.path}"\n' * 2)
            jobs.append((source.path, [*cpp, f"-I{source.path.parent}"], probe))
    for language, command in (("c", c), ("cpp", [*cpp, "-Wpedantic"])):
        probe = scratch / f"comqtt_h.{language}"
        probe.write_text("#include <comqtt.h>\n#include <comqtt.h>\nextern int probe;\n")
        jobs.append((Path("include/comqtt.h"), command, probe))
    return jobs


def check_headers(found: dict[Path, Source], cache: Path | None) -> list[str]:
    if cache:
        cache.mkdir(parents=True, exist_ok=True)

    def check(job: tuple[Path, list[str], Path]) -> str:
        path, command, probe = job
        texts = [found[each].text for each in sorted(closure(path, found, set()))]
        key = hashlib.sha256("\0".join([*command, *texts]).encode()).hexdigest()
        return compile_alone(str(path), command, probe, cache / key if cache else None)

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for problem in pool.map(check, header_jobs([*found.values()], Path(scratch))) if problem]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-headers", action="store_true", help="leave out the slow part: compiling every header")
    parser.add_argument("--cache", type=Path, help="folder that remembers which headers have compiled")
    options = parser.parse_args()

    by_path = {source.path: source for source in sources()}
    found = by_path.values()
    problems = check_corpora() + check_version()
    for source in found:
        problems += check_size(source)
        if is_native(source):
            problems += check_includes(source) + check_words(source, by_path) + check_threads(source)
    if not options.no_headers:
        problems += check_headers(by_path, options.cache)
    print(*problems, sep="\n")
    print(f"{len(found)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
