"""A broker program with a store, that can be killed and started again on the same port and file."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import mqtt_packets as mp
from broker import START_DEADLINE, STOP_DEADLINE, free_port


class DidNotStart(Exception):
    """The program ended, or did not listen in time; with what it said."""


class StoreBroker:
    """One port and one file. Not running until `start`."""

    def __init__(self, program: Path, path: Path, settings=(), *, log_folder: Path, threads: int = 1,
                 durability: str = "strict", sync: str = "full", environment: dict | None = None, way: int = 1):
        self.path, self.port = path, free_port()
        self.log_path = log_folder / f"broker-{self.port}.log"
        self.command = [str(program), "--tcp", f"127.0.0.1:{self.port}", "--threads", str(threads)]
        self.command += ["--storage-way", str(way), "--storage-path", str(path), "--durability", durability,
                         "--sync", sync]
        self.command += [word for setting in settings for word in ("--set", setting)]
        self.environment = environment or {}
        self.process: subprocess.Popen | None = None
        self.starts = 0

    # ---- running it

    def launch(self, environment: dict | None = None) -> None:
        """Starts the process without waiting for anything."""
        assert not self.alive()
        extra = self.environment if environment is None else environment
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, env={**os.environ, **extra})
        self.starts += 1

    def start(self, environment: dict | None = None) -> None:
        """Starts it and waits until it serves clients."""
        self.launch(environment)
        self.wait_until_listening()

    def wait_until_listening(self) -> None:
        started = time.monotonic()
        while not self.listening():
            if not self.alive():
                raise DidNotStart(f"{self.command} ended with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > started + START_DEADLINE:
                raise DidNotStart(f"{self.command} does not listen:\n{self.log()}")
            time.sleep(0.005)  # the only way to ask whether a port is open is to ask again

    def listening(self) -> bool:
        """A client is served; that the port is open says little, for the store may still be read."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5) as client:
                client.sendall(mp.connect("", 4))
                return client.recv(1)[:1] == bytes([mp.CONNACK << 4])
        except OSError:
            return False

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a crash does it."""
        self.process.kill()
        self.process.wait()

    def wait(self, timeout: float = STOP_DEADLINE) -> int:
        return self.process.wait(timeout)

    def terminate(self) -> None:
        """SIGTERM. It waits a moment for clients that do not close their connections."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.terminate()
        try:
            return self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the broker ignored SIGTERM:\n{self.log()}") from None

    def discard(self) -> None:
        """The end of a test: it must not have died by itself."""
        if self.process is None:
            return
        died = self.process.poll()
        if died is None:
            self.kill()
        assert died in (None, 0, 1, -signal.SIGKILL, -signal.SIGTERM), f"it died with {died}:\n{self.log()}"

    # ---- looking at it

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.is_file() else ""

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def bad_files(self) -> list[Path]:
        """Files that were set aside as damaged."""
        return sorted(self.path.parent.glob(f"{self.path.name}.bad-*"))

    def row_counts(self) -> dict[str, int]:
        """Rows per table of the file, which must be sound. Only while the broker does not run."""
        assert not self.alive()
        db = sqlite3.connect(self.path)
        try:
            found = db.execute("PRAGMA integrity_check").fetchall()
            assert found == [("ok",)], f"{self.path} is damaged: {found[:5]}"
            tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
        finally:
            db.close()
