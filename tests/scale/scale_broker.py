"""A broker under measurement: the program, the ring of other clients beside it, and the work it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bulk import SILENCE
from store_broker import StoreBroker

HERE = Path(__file__).resolve().parent
RING = 16  # clients: with up to 4 threads each of them serves some
RING_INTERVAL_MS = 20
IDLE_SECONDS = 0.3


def set_realtime(pid: int, priority: int) -> None:
    """Its threads do not wait for a processor that whoever loads the broker uses, as far as that is allowed."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setscheduler(int(task), os.SCHED_FIFO, os.sched_param(priority))


class ScaleBroker(StoreBroker):
    """Also listens on a Unix socket: no ports run out, and a connection costs the test little."""

    def __init__(self, program: Path, folder: Path, settings=(), *, threads: int, store: bool):
        (folder / "store").mkdir(parents=True, exist_ok=True)
        super().__init__(program, folder / "store" / "comqtt.db", settings, log_folder=folder, threads=threads,
                         way=int(store), sync="normal")
        self.socket_path = folder / "s"
        self.command += ["--unix", str(self.socket_path)]

    def begin(self, realtime: bool = False) -> None:
        self.start()
        self._ring = subprocess.Popen([sys.executable, str(HERE / "ring.py"), str(self.socket_path), str(RING),
                                       str(RING_INTERVAL_MS), str(self.process.pid)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._ring.stdout.readline() == b"ready\n"
        if realtime:
            set_realtime(self.process.pid, 1)
            set_realtime(self._ring.pid, 2)
        self.others()
        work, started = self.work(), time.monotonic()
        time.sleep(IDLE_SECONDS)  # a measurement of nothing happening
        self.idle = self.others()
        self.idle_rate = (self.work() - work) / (time.monotonic() - started)

    def others(self) -> dict:
        """What the ring has seen since the last call: count of messages, seconds p50, p99, max, and
        `longest`: max without what the machine had to do beside."""
        self._ring.stdin.write(b"\n")
        self._ring.stdin.flush()
        line = self._ring.stdout.readline()
        assert line, f"the ring has ended; the broker's log:\n{self.log()}"
        return json.loads(line)

    def work(self) -> float:
        """Seconds of processor time that all threads of the broker have used, from the kernel's exact clock."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def connections(self) -> int:
        """Open descriptors of the broker."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def wait_for_connections(self, count: int) -> None:
        """Until no more than these are open."""
        deadline = time.monotonic() + SILENCE
        while self.connections() > count:
            assert time.monotonic() < deadline, f"{self.connections() - count} connections are still open"
            time.sleep(0.005)  # the kernel does not tell

    def end(self) -> None:
        self._ring.stdin.close()
        self._ring.wait()
        self._ring.stdout.close()
        assert self.alive(), f"the broker died:\n{self.log()}"
        self.kill()
