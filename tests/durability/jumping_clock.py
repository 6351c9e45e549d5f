"""A wall clock that jumps when a test says so (clock_jump.c), for programs that are started with it."""

from __future__ import annotations

import os
import shlex
import struct
import subprocess
from pathlib import Path

from fault_disk import preloaded_first

HERE = Path(__file__).resolve().parent


class JumpingClock:
    """Control over the wall clock of one program; `environment` is what the program is started with."""

    def __init__(self, folder: Path, program: Path):
        shim, self._offset = folder / "clock_jump.so", folder / "clock.offset"
        compiler = shlex.split(os.environ.get("CC", "cc"))
        subprocess.run([*compiler, "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                        str(HERE / "clock_jump.c"), "-o", str(shim), "-lpthread"], check=True)
        self._offset.write_bytes(struct.pack("q", 0))
        self.environment = {
            "LD_PRELOAD": os.pathsep.join([*preloaded_first(program), str(shim)]),
            "COMQTT_CLOCK_OFFSET": str(self._offset),
        }

    def set(self, seconds: int) -> None:
        """So far ahead of the machine's clock is the program's from now on; negative: behind it."""
        with open(self._offset, "r+b") as file:
            file.write(struct.pack("q", seconds))
