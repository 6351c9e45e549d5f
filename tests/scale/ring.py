"""Other clients, in a process of their own: each publishes to the next one in a ring, steadily, whatever becomes of it.

    python3 ring.py SOCKET CLIENTS INTERVAL_MS BROKER_PID

For each line on its input it prints what was seen since the last one, as JSON; it ends with its input. "longest" is the
longest time a message took without the time that the kernel let the broker or this process wait for a processor: what
else the machine has to do is not the broker's fault.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

import mqtt_packets as mp  # noqa: E402

TOPIC = "ring/%02d"
SIZE = len(mp.publish(TOPIC % 0, bytes(8), version=4))


class Starvation:
    """How long this process and the broker's threads were ready and did not run, ns since they began."""

    def __init__(self, pid: int):
        self.files = [open(f"/proc/{pid}/task/{task}/schedstat", "rb", buffering=0)
                      for task in os.listdir(f"/proc/{pid}/task")]
        self.own = open("/proc/self/schedstat", "rb", buffering=0)

    def now(self) -> list[int]:
        return [int(os.pread(each.fileno(), 100, 0).split()[1]) for each in (self.own, *self.files)]

    @staticmethod
    def between(before: list[int], after: list[int]) -> int:
        """That of this process and of the thread that had to wait longest."""
        own, *threads = (late - early for early, late in zip(before, after))
        return own + max(threads)


class Ring:
    def __init__(self, path: str, count: int, interval: float, broker: int):
        self.interval, self.clients, self.buffers = interval, [], {}
        self.starvation = Starvation(broker)
        for i in range(count):
            # Not TCP: the kernel delivers that by threads which a broker at realtime priority keeps waiting.
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(30)
            client.connect(path)
            client.sendall(mp.connect(f"ring-{os.getpid()}-{i}", 4, keep_alive=0))
            client.sendall(mp.subscribe(1, [(TOPIC % i, 0)], version=4))
            got = b""
            while len(got) < 9:
                got += client.recv(9 - len(got))
            assert got == b"\x20\x02\x00\x00\x90\x03\x00\x01\x00", got.hex()
            client.setblocking(False)
            self.clients.append(client)
            self.buffers[client.fileno()] = b""
        self.heads = [mp.publish(TOPIC % ((i + 1) % count), bytes(8), version=4)[:-8] for i in range(count)]
        self.by_fd = {client.fileno(): client for client in self.clients}
        self.waiting: dict[int, list] = {}  # time sent, ns -> how many have not come, starvation then
        self.begin()

    def begin(self) -> None:
        self.times: list[int] = []  # ns from sending to receiving
        self.longest = 0

    def send(self) -> None:
        now = time.monotonic_ns()
        self.waiting[now] = [len(self.clients), self.starvation.now()]
        stamp = struct.pack("!Q", now)
        for client, head in zip(self.clients, self.heads):
            client.send(head + stamp)

    def receive(self, fd: int) -> None:
        data = self.buffers[fd] + self.by_fd[fd].recv(65536)
        assert len(data) > len(self.buffers[fd]), "the broker has closed a connection of the ring"
        now = time.monotonic_ns()
        whole = len(data) - len(data) % SIZE
        for end in range(SIZE, whole + 1, SIZE):
            sent = struct.unpack_from("!Q", data, end - 8)[0]
            self.took(sent, now)
            self.waiting[sent][0] -= 1
            if not self.waiting[sent][0]:
                del self.waiting[sent]
        self.buffers[fd] = data[whole:]

    def took(self, sent: int, now: int) -> None:
        self.times.append(now - sent)
        if now - sent > self.longest:
            starved = Starvation.between(self.waiting[sent][1], self.starvation.now())
            self.longest = max(self.longest, now - sent - starved)

    def report(self) -> str:
        now = time.monotonic_ns()
        for sent in self.waiting:
            self.took(sent, now)
        times, longest = sorted(self.times), self.longest
        self.begin()
        found = {"count": len(times), "longest": longest / 1e9}
        for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1)):
            found[name] = times[min(len(times) - 1, int(len(times) * share))] / 1e9 if times else 0.0
        return json.dumps(found)

    def run(self) -> None:
        poll = select.poll()
        for fd in self.by_fd:
            poll.register(fd, select.POLLIN)
        poll.register(sys.stdin.fileno(), select.POLLIN)
        due = time.monotonic()
        while True:
            events = poll.poll(max(0.0, due - time.monotonic()) * 1000)
            for fd, _ in events:
                if fd in self.by_fd:
                    self.receive(fd)
                elif not os.read(fd, 1):
                    return
                else:
                    print(self.report(), flush=True)
            now = time.monotonic()
            if now >= due:
                self.send()
                due = max(due + self.interval, now)


if __name__ == "__main__":
    ring = Ring(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000, int(sys.argv[4]))
    print("ready", flush=True)
    ring.run()
