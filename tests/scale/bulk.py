"""Clients that move very many packets at once: bytes are made beforehand, sent without waiting, and counted."""

from __future__ import annotations

import itertools
import resource
import select
import socket
import time

import mqtt_packets as mp
from broker import TIME_FACTOR

SILENCE = 60.0 * TIME_FACTOR  # nothing sent or received for so long: it will not come any more
PIECE = 1 << 18
ALL_AT_ONCE = 500  # connections under way, fewer than wait in a listener's queue
CONNACK_311 = b"\x20\x02\x00\x00"
CONNACK_311_PRESENT = b"\x20\x02\x01\x00"


def raise_descriptor_limit() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Bulk:
    """One connection, MQTT 3.1.1 unless it says otherwise, whose answers have known sizes."""

    def __init__(self, path: str, client_id: str = "", clean: bool = True, version: int = 4, present: bool = False,
                 **fields):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SILENCE)
        self.socket.connect(path)
        self.socket.sendall(mp.connect(client_id, version, clean, keep_alive=0, **fields))
        if version == 4:
            got = self.exactly(4)
            assert got == (CONNACK_311_PRESENT if present else CONNACK_311), f"CONNACK expected, got {got.hex()}"
        self.socket.setblocking(False)

    def exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            piece = self.socket.recv(size - len(got))
            assert piece, f"the broker has closed after {got.hex()}"
            got += piece
        return got

    def exchange(self, data: bytes, expected: int) -> bytes:
        """Sends `data` and receives `expected` bytes, both at the same time."""
        return exchange([(self, data, expected)])[0]

    def ping(self) -> None:
        """What was sent before has been handled."""
        assert self.exchange(mp.pingreq(), 2) == b"\xd0\x00"

    def leave(self) -> None:
        """DISCONNECT, until the broker has closed."""
        self.socket.settimeout(SILENCE)
        self.socket.sendall(mp.disconnect(version=4))
        while self.socket.recv(PIECE):
            pass
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


def exchange(jobs) -> list[bytes]:
    """`jobs`: (client, bytes to send, number of bytes to receive). Gives what each received."""
    poll = select.poll()
    state = {}
    for index, (client, data, expected) in enumerate(jobs):
        fd = client.socket.fileno()
        state[fd] = [client.socket, memoryview(data), expected, [], index]
        poll.register(fd, (select.POLLOUT if data else 0) | select.POLLIN)
    results = [b""] * len(jobs)
    done = [fd for fd, each in state.items() if not each[1] and not each[2]]
    heard = time.monotonic()
    while True:
        for fd in done:
            poll.unregister(fd)
            _, _, _, pieces, index = state.pop(fd)
            results[index] = b"".join(pieces)
        done.clear()
        if not state:
            return results
        events = poll.poll(1000)
        if events:
            heard = time.monotonic()
        assert heard + SILENCE > time.monotonic(), \
            f"silence; {sum(each[2] for each in state.values())} bytes of {len(state)} clients did not come"
        for fd, event in events:
            each = state[fd]
            if event & ~select.POLLOUT:
                piece = each[0].recv(PIECE)
                assert piece, f"the broker has closed, {each[2]} bytes were to come"
                each[3].append(piece)
                each[2] -= len(piece)
                assert each[2] >= 0, f"{-each[2]} bytes more than expected: ...{piece[-80:].hex()}"
            if event & select.POLLOUT and each[1]:
                sent = each[0].send(each[1][:PIECE])
                each[1] = each[1][sent:]
                if not each[1]:
                    poll.modify(fd, select.POLLIN)
            if not each[1] and not each[2]:
                done.append(fd)


def sessions(path: str, texts, answer: bytes | None) -> None:
    """Opens a connection for each of the texts (CONNECT, ..., DISCONNECT) and waits until the broker has closed it.
    `answer`: all that it must have said; None when the text has no DISCONNECT: closed here after the CONNACK."""
    texts = iter(texts)
    while True:
        batch = []
        for text in itertools.islice(texts, ALL_AT_ONCE):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(SILENCE)
            client.connect(path)
            client.send(text)
            batch.append(client)
        if not batch:
            return
        for client in batch:
            got = client.recv(4096)
            if answer is None:
                assert got[:1] == b"\x20" and got[3] == 0, f"CONNACK expected, got {got.hex()}"
            else:
                while len(got) < len(answer) and (more := client.recv(4096)):
                    got += more
                assert got == answer, f"{answer.hex()} expected, got {got.hex()}"
                assert client.recv(1) == b""
            client.close()


def packets_of(kind: int, size: int, got: bytes, count: int) -> None:
    """`got` is `count` packets of this size and type."""
    assert len(got) == size * count
    firsts = {first & 0xF0 for first in set(got[::size])}
    assert firsts == {kind << 4}, f"packets of type {kind} expected, first bytes are {firsts}"
