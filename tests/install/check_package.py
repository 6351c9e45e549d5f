#!/usr/bin/env python3
"""Installs a build into an empty folder and uses it as others will: by pkg-config, by CMake, and as a program."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Everything that a program which embeds the library pulls in.
RUNTIME = {"libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def run(*command: object, **options) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def only(prefix: Path, pattern: str) -> Path:
    found = sorted(prefix.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{pattern}: {len(found)} files in the installation, wanted one")
    return found[0]


def check_library(prefix: Path, version: str) -> Path:
    library = only(prefix, f"lib/**/libcomqtt.so.{version}")
    major = version.split(".")[0]
    expect("development link", os.path.realpath(library.with_name("libcomqtt.so")), str(library))
    dynamic = run("readelf", "-d", library)
    values = {kind: {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if f"({kind})" in line}
              for kind in ("NEEDED", "SONAME", "RUNPATH", "RPATH")}
    expect("SONAME", values["SONAME"], {f"libcomqtt.so.{major}"})
    expect("search path in the library", values["RUNPATH"] | values["RPATH"], set())
    expect("libraries that it needs beyond the C++ runtime", values["NEEDED"] - RUNTIME, {"libsqlite3.so.0"})
    symbols = run("nm", "-D", "--defined-only", library).splitlines()
    names = {line.split()[-1].split("@")[0] for line in symbols if " A " not in line}
    expect("exports that are not comqtt_*", {name for name in names if not name.startswith("comqtt_")}, set())
    if not names:
        sys.exit("the library exports nothing")
    return library


def check_pkg_config(prefix: Path, library: Path, scratch: Path, version: str) -> None:
    environment = {**os.environ, "PKG_CONFIG_PATH": str(only(prefix, "lib/**/pkgconfig/comqtt.pc").parent)}
    expect("pkg-config version", run("pkg-config", "--modversion", "comqtt", env=environment), version)
    flags = run("pkg-config", "--cflags", "--libs", "comqtt", env=environment).split()
    program = scratch / "by-pkg-config"
    run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", HERE / "consumer/consumer.c", "-o", program, *flags)
    paths = {**os.environ, "LD_LIBRARY_PATH": str(library.parent)}
    expect("program built with pkg-config", run(program, env=paths), version)


def check_readme(prefix: Path, scratch: Path) -> None:
    """The C program in the README compiles and links as it stands there."""
    code = re.search(r"```c\n(.*?)```", (HERE.parents[1] / "README.md").read_text(), re.DOTALL)[1]
    source = scratch / "readme.c"
    source.write_text(code)
    environment = {**os.environ, "PKG_CONFIG_PATH": str(only(prefix, "lib/**/pkgconfig/comqtt.pc").parent)}
    flags = run("pkg-config", "--cflags", "--libs", "comqtt", env=environment).split()
    run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", source, "-o", scratch / "readme", *flags)


def check_cmake(prefix: Path, scratch: Path, version: str) -> None:
    build = scratch / "by-cmake"
    run("cmake", "-S", HERE / "consumer", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCOMQTT_WANTED={version}")
    run("cmake", "--build", build)
    expect("program built with CMake", run(build / "consumer"), version)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        prefix = scratch / "prefix"
        run("cmake", "--install", options.build, "--prefix", prefix)
        only(prefix, "include/comqtt.h")
        library = check_library(prefix, options.version)
        check_pkg_config(prefix, library, scratch, options.version)
        check_readme(prefix, scratch)
        check_cmake(prefix, scratch, options.version)
        bare = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        expect("installed program", run(prefix / "bin/comqtt", "--version", env=bare), f"comqtt {options.version}")
    print("the installation works with pkg-config, with CMake and as a program")
    return 0


if __name__ == "__main__":
    sys.exit(main())
