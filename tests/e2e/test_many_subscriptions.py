"""One client with very many subscriptions costs itself; other clients go on."""

import threading

import pytest

import mqtt_packets as mp
from broker import TIME_FACTOR
from mqtt_packets import PUBLISH, SUBACK, UNSUBACK
from mqtt_wire import WireClient
from pair import Pair

COUNT = 50_000 if TIME_FACTOR == 1 else 10_000
PER_PACKET = 100
LONG = 120.0 * TIME_FACTOR  # for what is waited for however long it takes
# Seconds that a message of another pair may take on a machine that does much else; the stalls took 10 to 20.
GAP = 2.0 * TIME_FACTOR


def _exchange(client: WireClient, packets, answer: int, ids):
    """Sends all in the background, and reads until each has its answer. Returns the PUBLISHes that came between."""
    def work():
        client.socket.settimeout(LONG)
        client.socket.sendall(b"".join(packets))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    published = []
    waiting = set(ids)
    while waiting:
        packet = client.read(LONG)
        if packet.type == PUBLISH:
            published.append(packet)
        else:
            assert packet.type == answer
            waiting.remove(packet.packet_id)
    thread.join()
    return published


def _split(filters):
    return [filters[i : i + PER_PACKET] for i in range(0, len(filters), PER_PACKET)]


def _subscribe_all(client, filters):
    parts = _split(filters)
    packets = [mp.subscribe(i + 1, [(f, 0) for f in part]) for i, part in enumerate(parts)]
    return _exchange(client, packets, SUBACK, range(1, len(parts) + 1))


def _unsubscribe_all(client, filters):
    parts = _split(filters)
    packets = [mp.unsubscribe(i + 1, part) for i, part in enumerate(parts)]
    return _exchange(client, packets, UNSUBACK, range(1, len(parts) + 1))


@pytest.mark.alone
@pytest.mark.parametrize("kind", ("exact", "wildcard"))
def test_a_client_with_50000_filters_does_not_stall_another_pair(mqtt, unique, kind):
    """Neither while it subscribes, nor while it is sent what is retained, unsubscribes, and ends."""
    base = unique("many")
    filters = [f"{base}/{i}" if kind == "exact" else f"{base}/{i}/#" for i in range(COUNT)]
    # Some of them have something, under the same first level, so that every one has to be looked for.
    held = [f"{base}/{i}" for i in range(0, COUNT, COUNT // 50)]
    writer = mqtt.connect()
    for topic in held:
        writer.publish(topic, b"kept", 1, retain=True)
    with Pair(mqtt.broker.port, unique("pair")) as pair:
        many = mqtt.connect()
        published = _subscribe_all(many, filters)
        while len(published) < len(held):
            packet = many.read(LONG)
            assert packet.type == PUBLISH
            published.append(packet)
        assert sorted(p.topic for p in published) == sorted(held)
        _unsubscribe_all(many, filters)
        _subscribe_all(many, filters)
        many.disconnect()
    assert pair.longest < GAP, f"{pair.longest:.2f} s of {pair.count} round trips"
    for topic in held:
        writer.publish(topic, b"", 1, retain=True)


@pytest.mark.alone
def test_many_clients_with_100_filters_each_are_answered_and_do_not_stall_another_pair(mqtt, unique):
    base = unique("many")
    writer = mqtt.connect()
    writer.publish(f"{base}/kept", b"x", 1, retain=True)
    with Pair(mqtt.broker.port, unique("pair")) as pair:
        clients = [mqtt.connect() for _ in range(200)]
        for number, client in enumerate(clients):
            filters = [(f"{base}/{number}/{i}/#", 0) for i in range(PER_PACKET - 1)] + [(f"{base}/kept", 0)]
            client.send(mp.subscribe(1, filters))
        for client in clients:
            assert client.read(LONG).type == SUBACK
            assert client.read(LONG).topic == f"{base}/kept"
    assert pair.longest < GAP, f"{pair.longest:.2f} s of {pair.count} round trips"
    writer.publish(f"{base}/kept", b"", 1, retain=True)
