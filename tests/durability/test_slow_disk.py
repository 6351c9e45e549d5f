"""Each sync takes more than a second: acknowledgements wait for it, others do not, memory stays bounded."""

import select
import socket
import time

import history as h
import mqtt_packets as mp
import pytest
from broker import TIME_FACTOR
from mqtt_wire import NothingCame, WireClient
from trouble import Pair, Publishing

SYNC_MS = 1500
TOPIC = "t/p/flood"
FLOOD = 3000  # messages of 8 KiB from each of three: more than the sockets' buffers hold
SOON = 20.0 * TIME_FACTOR


@pytest.mark.alone
def test_acknowledgements_wait_for_the_disk_and_others_do_not_wait(broker, disk, threads):
    slow = broker(threads=threads, environment=disk.environment)
    work, pair = Publishing(slow.port), Pair(slow.port)
    work.loop.actors.append(pair)
    disk.set(sync_ms=SYNC_MS)
    work.publish(40)
    work.settle("published slowly", SOON)
    sent = {each.message: each.at for each in work.events(h.SENT)}
    waits = [each.at - sent[each.message] for each in work.events(h.ACKED)]
    assert len(waits) == len(sent) and not work.refused()
    assert min(waits) >= SYNC_MS / 1000, f"acknowledged after {min(waits)} s, before the sync was done"
    assert len(pair.times) > 100
    assert pair.usual() < 0.02 * TIME_FACTOR and pair.worst() < 0.5 * TIME_FACTOR, (pair.usual(), pair.worst())
    pair.close()
    work.loop.actors.clear()
    work.publish(10)
    work.loop.turn()  # sent, and on its way to the disk
    slow.kill()
    slow.start({})
    work.settle("the rest after the crash", SOON)
    faults = work.collect(SOON)
    assert not faults, "\n".join(map(str, faults[:20]))


class Flood:
    """A publisher that sends without waiting for anybody and counts the answers."""

    PAYLOAD = bytes(8192)

    def __init__(self, port: int, name: str, count: int):
        self._client = WireClient(port, 4)
        self._client.connect(name)
        self._data = memoryview(b"".join(mp.publish(TOPIC, self.PAYLOAD, 1, packet_id=1 + n, version=4)
                                         for n in range(count)))
        self.total, self.count, self.acked = len(self._data), count, 0
        self.socket = self._client.socket
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)

    def left(self) -> int:
        return len(self._data)

    def push(self) -> None:
        """Sends what the system takes, and reads what is there."""
        self.socket.setblocking(False)
        try:
            self._data = self._data[self.socket.send(self._data[:262144]):]
        except BlockingIOError:
            pass
        try:
            while True:
                self._client.read(timeout=0.0001)
                self.acked += 1
        except NothingCame:
            pass


def test_a_flood_that_waits_for_the_disk_does_not_fill_the_memory(broker, disk, threads):
    slow = broker("limits.uncommitted-bytes=4194304", "capabilities.maximum-client-writes-pending=1000000",
                  "limits.client-queued-bytes=1000000000", threads=threads, environment=disk.environment)
    work = Publishing(slow.port, versions=(5,))
    floods = [Flood(slow.port, f"flood{n}", FLOOD) for n in range(3)]
    disk.set(sync_ms=600_000)
    before = slow.resident_kib()
    quiet_since, left = time.monotonic(), 0
    while time.monotonic() < quiet_since + 1.0 * TIME_FACTOR:  # until nothing more is taken from them
        select.select([], [each.socket for each in floods], [], 0.05)
        for each in floods:
            each.push()
        if left != (left := sum(each.left() for each in floods)):
            quiet_since = time.monotonic()
    assert left > 0, "the broker took everything although nothing could be stored"
    assert not any(each.acked for each in floods)
    grown = slow.resident_kib() - before
    if TIME_FACTOR == 1:
        assert grown < 16 * 1024, f"{grown} KiB more"
    disk.set()
    deadline = time.monotonic() + 2 * SOON
    while any(each.acked < each.count for each in floods):
        assert time.monotonic() < deadline, [(each.acked, each.count, each.left()) for each in floods]
        for each in floods:
            each.push()
    slow.kill()
    slow.start({})
    work.keeper.come()
    work.loop.until(lambda: len(work.events(h.GOT)) == 3 * FLOOD and work.keeper.idle(), "the whole flood", 2 * SOON)
