"""Starting and ending broker programs for the tests."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

# A broker built with a sanitizer is several times slower; run_suites.py sets these variables for such a build.
TIME_FACTOR = 5 if {"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ) else 1
START_DEADLINE = 5.0 * TIME_FACTOR
STOP_DEADLINE = 5.0 * TIME_FACTOR


# Below the ports that the kernel gives to clients: nobody takes a broker's while it starts again. Tests that run beside
# one another have a part each.
FIRST_PORT, PORTS = 10_000, 2_500
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(PORTS))
for _ in range(os.getpid() % PORTS):
    next(_ports)


def free_port() -> int:
    for offset in itertools.islice(_ports, PORTS):
        port = FIRST_PORT + WORKER % 8 * PORTS + offset
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("all ports of the tests are in use")


class Broker:
    """One broker process that serves 127.0.0.1:port until `stop`.

    `template`: the command with {port} in it, for running the suite against another broker.
    `store`: the file it keeps its state in; without one it stores nothing.
    """

    def __init__(self, program: Path, options=(), threads: int = 1, template: str | None = None, port: int = 0,
                 store: Path | None = None, environment: dict | None = None):
        self.port = port or free_port()
        if template:
            self.command = shlex.split(template.format(port=self.port))
        else:
            self.command = [str(program), "--tcp", f"127.0.0.1:{self.port}", "--threads", str(threads)]
            if store:
                self.command += ["--storage-path", str(store)]
            elif not any(option.startswith("storage-way=") for option in options):
                self.command += ["--storage-way", "0"]
            self.command += [word for option in options for word in ("--set", option)]
        self._log = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=self._log, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        try:
            self.wait_until_listening(self.port)
            self.start_seconds = time.monotonic() - self.started
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def log(self) -> str:
        # The program writes where this file stands: reading must not move it.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_until_listening(self, address: int | Path) -> None:
        """A port, or the path of a Unix socket. A program with several listeners opens one after the other: each is to be waited for."""
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command} ended with {self.process.returncode}:\n{self.log()}")
            try:
                self._connect(address)
            except OSError:
                if time.monotonic() - self.started > START_DEADLINE:
                    raise RuntimeError(f"{self.command} does not listen:\n{self.log()}") from None
                time.sleep(0.005)  # the only way to ask whether a port is open is to ask again
                continue
            return

    @staticmethod
    def _connect(address: int | Path) -> None:
        if isinstance(address, int):
            socket.create_connection(("127.0.0.1", address), 0.5).close()
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(address))

    @contextmanager
    def stopped(self):
        """The process stands still meanwhile; what clients send is there all at once when it goes on."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = STOP_DEADLINE) -> int:
        return self.process.wait(timeout)

    def resident_kib(self) -> int:
        """Memory in use by the process, KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def stop(self) -> int:
        """SIGTERM and the exit code; SIGKILL when that does not help, which is an error."""
        if self.alive():
            self.terminate()
        try:
            return self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the broker ignored SIGTERM:\n{self.log()}") from None
