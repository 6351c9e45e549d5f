"""What a receiver sends to begin with, and a client that behaves well and publishes as much as it is allowed to."""

from __future__ import annotations

import mqtt_packets as mp
from clients import unique_name
from siege import DEADLINE

SIZE = 20_000
WINDOW = 200


def opening(topic: str, qos: int, version: int) -> bytes:
    """CONNECT and SUBSCRIBE."""
    return mp.connect(unique_name("h"), version, keep_alive=0) + mp.subscribe(1, [(topic, qos)], version=version)


def publishing(siege, topic: str, qos: int, attack: int):
    """Work for `during`: `attack` bytes in messages of 20 kB at QoS 0 or 1."""
    client = siege.client()
    data = b"".join(mp.publish(topic, bytes(SIZE), qos, packet_id=n + 1 if qos else None) for n in range(WINDOW))

    def work():
        client.socket.settimeout(DEADLINE)
        for _ in range(attack // len(data) + 1):
            client.socket.sendall(data)
            for n in range(WINDOW if qos else 0):
                client.wait_for(mp.PUBACK, n + 1, timeout=DEADLINE)
            client.socket.settimeout(DEADLINE)
        client.ping(timeout=DEADLINE)

    return work
