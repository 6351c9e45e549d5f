"""A broker that misbehaving clients try to fill, its memory, and another pair of clients that must not notice."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from pathlib import Path

import mqtt_packets as mp
from broker import TIME_FACTOR, Broker
from clients import unique_name
from mqtt_wire import WireClient

MIB = 1 << 20
SLACK = 16 * MIB  # buffers, pools and caches that are made on first use
ARENA = 4 * MIB  # of each thread: what the allocator keeps, pieces between blocks that live longer
# A sanitizer's shadow, red zones and freed blocks that it keeps count as the broker's memory: so much more of all.
INFLATION = 8 if "TSAN_OPTIONS" in os.environ else 4 if "ASAN_OPTIONS" in os.environ else 1
PATIENCE = 1.5 * TIME_FACTOR  # seconds after which a client that is not read has been stopped for good
TRIP = 20.0 * TIME_FACTOR  # seconds for a round trip; how long one takes is measured elsewhere
DEADLINE = 120.0 * TIME_FACTOR

# Small, so that a broker that keeps to them stays small. What is bounded by nothing grows by an attack's whole size.
CLIENT_BYTES = 4 * MIB
UNCOMMITTED = 2 * MIB
HANDOVER = 1 * MIB
SETTINGS = (f"limits.client-queued-bytes={CLIENT_BYTES}", f"limits.uncommitted-bytes={UNCOMMITTED}",
            f"limits.handover-bytes={HANDOVER}", "limits.high-mark-bytes=262144", "storage.cache-bytes=1048576",
            "limits.stuck-timeout-ms=100", "limits.stuck-disconnect-ms=600000")


def environment_of(extra: dict | None) -> dict:
    """ASan keeps freed blocks for a while; here for a short one."""
    made = dict(extra or {})
    if "ASAN_OPTIONS" in os.environ:
        made["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":quarantine_size_mb=1"
    return made


class Attacker:
    """A connection that sends `stream` as fast as it is taken. It reads and throws away, or does not read.

    Ends when all was sent ("sent"), when nothing is taken any more ("stopped"), or when it is closed ("closed"). The
    connection stays open until the test is over.
    """

    def __init__(self, port: int, opening: bytes, stream=(), reads: bool = True):
        self.socket = socket.socket()
        if not reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self._opening, self._stream, self._reads = opening, stream, reads
        self.sent = self.received = 0
        self.ended = ""

    def run(self) -> None:
        stream, waiting, quiet_since = iter(self._stream), memoryview(self._opening), time.monotonic()
        ends = time.monotonic() + DEADLINE
        self.ended = ""
        while not self.ended:
            now = time.monotonic()
            assert now < ends, f"still sending after {DEADLINE} s, {self.sent} bytes sent"
            if not waiting:
                following = next(stream, None)
                if following is None:
                    self.ended = "sent"
                    return
                waiting = memoryview(following)
            readable, writable, _ = select.select([self.socket] if self._reads else [], [self.socket], [], 0.05)
            try:
                if readable:
                    self._read()
                if writable:
                    count = self.socket.send(waiting)
                    waiting, quiet_since = waiting[count:], now
                    self.sent += count
                elif now - quiet_since > PATIENCE:
                    self.ended = "stopped"
            except OSError:
                self.ended = "closed"

    def open(self) -> None:
        """Sends its opening and waits for the answer."""
        self.socket.setblocking(True)
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(self._opening)
        self._opening = b""
        self._read()
        self.socket.setblocking(False)

    def listen(self, done: threading.Event) -> None:
        """Sends its opening, then reads until `done`, and answers nothing."""
        self.open()
        self.socket.settimeout(0.05)
        while not done.is_set():
            try:
                self._read()
            except TimeoutError:
                continue
            except OSError:
                self.ended = "closed"
            if self.ended:
                return

    def _read(self) -> None:
        data = self.socket.recv(262144)
        self.received += len(data)
        if not data:
            self.ended = "closed"


class Siege:
    """One broker of the test's own."""

    def __init__(self, program: Path, settings=(), threads: int = 1, store: Path | None = None,
                 environment: dict | None = None):
        self.broker = Broker(program, (*SETTINGS, *settings), threads, store=store,
                             environment=environment_of(environment))
        self.port, self.threads, self.stored = self.broker.port, threads, store is not None
        self._sockets: list[socket.socket] = []
        self._pair = [WireClient(self.port), WireClient(self.port)]
        for each in self._pair:
            each.connect(unique_name("pair"), keep_alive=0)  # one of them only listens, for longer than any keep alive
        self._topic = unique_name("pair")
        self._pair[0].subscribe(self._topic)
        self.trips = 0
        for _ in range(100):
            self.trip()
        self.before = self.peak()

    def peak(self) -> int:
        """The most memory that it ever had, bytes."""
        status = Path(f"/proc/{self.broker.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024

    def trip(self) -> None:
        self._pair[1].send_publish(self._topic, b"%d" % self.trips)
        self._pair[0].message(self._topic, b"%d" % self.trips, timeout=TRIP)
        self.trips += 1

    def attacker(self, opening: bytes, stream=(), reads: bool = True) -> Attacker:
        made = Attacker(self.port, opening, stream, reads)
        self._sockets.append(made.socket)
        return made

    def client(self, version: int = 5, **fields) -> WireClient:
        made = WireClient(self.port, version)
        self._sockets.append(made.socket)
        made.connect(fields.pop("client_id", unique_name("h")), keep_alive=0, **fields)
        return made

    def during(self, *works) -> None:
        """Runs all of them on threads of their own; the pair goes on meanwhile, and at least once afterwards."""
        problems: list[BaseException] = []

        def guarded(work):
            try:
                work()
            except BaseException as problem:  # shown by the test, not by the thread
                problems.append(problem)

        threads = [threading.Thread(target=guarded, args=(each,), daemon=True) for each in works]
        for each in threads:
            each.start()
        before = self.trips
        while any(each.is_alive() for each in threads):
            self.trip()
            time.sleep(0.002)  # leaves the processor to the attack
        if problems:
            raise problems[0]
        self.trip()
        assert self.trips > before
        assert self.broker.alive(), f"the broker died:\n{self.broker.log()}"

    def assert_bounded(self, limit: int, attack: int) -> None:
        """The peak has grown by what its limits allow and no more; an attack much larger than that was fended off."""
        allowed = (limit + UNCOMMITTED * self.stored + (HANDOVER + ARENA) * self.threads + SLACK) * INFLATION
        grown = self.peak() - self.before
        print(f"attack {attack / MIB:.1f} MiB, grown {grown / MIB:.1f} MiB, allowed {allowed / MIB:.1f} MiB")
        assert grown <= allowed, f"{grown / MIB:.1f} MiB more, {allowed / MIB:.1f} MiB allowed, " \
                                 f"by an attack of {attack / MIB:.1f} MiB"

    def end(self, hangs: bool = False) -> None:
        alive = self.broker.alive()
        for each in (*self._sockets, *(pair.socket for pair in self._pair)):
            each.close()
        if hangs:
            self.broker.process.kill()
            self.broker.process.wait()
        else:
            code = self.broker.stop()
            assert code == 0, f"exit code {code}:\n{self.broker.log()}"
        assert alive, f"the broker died:\n{self.broker.log()}"
