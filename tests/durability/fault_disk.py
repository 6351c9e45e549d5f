"""A disk that fails, stalls or stops when a test says so (fault_vfs.c), for programs that use SQLite."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SANITIZERS = ("libasan", "libtsan")


def build_shim(folder: Path) -> Path:
    """Compiles the VFS into `folder`."""
    shim = folder / "fault_vfs.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    str(HERE / "fault_vfs.c"), "-o", str(shim), "-lsqlite3", "-lpthread"], check=True)
    return shim


def preloaded_first(program: Path) -> list[str]:
    """The runtime of the sanitizer that a program was built with: it must stand before anything else."""
    needed = subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout
    return [line.split()[2] for line in needed.splitlines() if line.strip().startswith(SANITIZERS)]


class FaultDisk:
    """Control over the disk as one program sees it; `environment` is what the program is started with."""

    def __init__(self, shim: Path, folder: Path, program: Path):
        self.control, self.log = folder / "fault.control", folder / "fault.log"
        self.environment = {
            "LD_PRELOAD": os.pathsep.join([*preloaded_first(program), str(shim)]),
            "COMQTT_FAULT_CONTROL": str(self.control),
            "COMQTT_FAULT_LOG": str(self.log),
        }
        self.set()

    def set(self, **values) -> None:
        """set(write="full"), set(op="sync", kill="lost", at=3)...; nothing: a good disk. Counts begin anew."""
        fresh = self.control.with_suffix(".new")
        fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        fresh.replace(self.control)

    def count(self, operation: str) -> int:
        """How many operations ("sync wal", "write db", "sync"...) there were so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sum(line.startswith(operation) for line in lines)
