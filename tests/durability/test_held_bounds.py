"""A disk that does not come back: what clients send meanwhile is not taken without end."""

import select
import struct

import mqtt_packets as mp
from broker import TIME_FACTOR
from mqtt_packets import PUBCOMP, PUBREC
from mqtt_wire import WireClient

HANGS_MS = 6000 * TIME_FACTOR
SOON = 20.0 * TIME_FACTOR


def _push(client, data):
    """Sends what the broker takes: until nothing more goes for a second."""
    client.socket.setblocking(False)
    left = memoryview(data)
    while left and select.select([], [client.socket], [], 1.0 * TIME_FACTOR)[1]:
        left = left[client.socket.send(left[:262144]):]
    return len(data) - len(left)


def test_acknowledgements_of_a_flood_cost_little_while_the_disk_hangs(broker, disk, threads):
    """PUBREL for ids that nobody knows, and a QoS 2 message sent again and again."""
    own = broker(threads=threads, environment=disk.environment)
    clients = []
    for name, packet in (("releases", struct.pack("!BBH", 0x62, 2, 7)),
                         ("repeats", mp.publish("t", b"x", 2, packet_id=1, dup=True))):
        client = WireClient(own.port)
        client.connect(name, clean=False, props={"session_expiry": 3600})
        clients.append((client, packet * (15_000_000 // len(packet))))
    before = own.resident_kib()
    disk.set(sync_ms=HANGS_MS)
    for client, flood in clients:
        client.send(mp.publish("t", b"x", 2, packet_id=1))
        taken = _push(client, flood)
        assert taken < len(flood), "the broker took all of it"
    grown = own.resident_kib() - before
    assert grown < (24 if TIME_FACTOR == 1 else 96) * 1024, f"{grown} KiB"
    disk.set(sync_ms=0)
    for client, _ in clients:
        client.wait_for(PUBREC, 1, timeout=HANGS_MS / 1000 + SOON)
    clients[0][0].wait_for(PUBCOMP, 7, timeout=SOON)
    for client, _ in clients:
        client.drop()
