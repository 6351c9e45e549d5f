"""The store does not answer: what waits for it stays within limits.uncommitted-bytes, whoever makes it wait."""

import itertools

import pytest

import mqtt_packets as mp
from broker import TIME_FACTOR
from clients import unique_name
from mqtt_packets import PUBACK, PUBCOMP, PUBREC, PUBREL
from siege import MIB, UNCOMMITTED

KEPT = {"session_expiry": 100_000}
ATTACK = 60 * MIB // TIME_FACTOR  # a sanitizer needs as much longer for each packet
PATIENT = "capabilities.receive-maximum=65535"  # that a client has sent too much does not end it


def _blocks(kind, attack):
    """Packets packed into larger pieces. The small ones are made once and repeated."""
    make, sent, numbers = STREAMS[kind], 0, itertools.count()
    if kind.endswith(("unknown", "repeated")):
        block = b"".join(make(n) for n in range(65_535))
        yield from itertools.repeat(block, attack // len(block) // 6)
        return
    while sent < attack:
        block = b"".join(make(next(numbers)) for _ in range(500))
        sent += len(block)
        yield block


def _opening(name=None):
    return mp.connect(name or unique_name("h"), clean=False, keep_alive=0, props=KEPT)


def _keep(siege, topic):
    """A session that is away: what is published to the topic is to be stored for it."""
    away = siege.client(clean=False, props=KEPT)
    away.subscribe(topic, qos=1)
    away.disconnect()


STREAMS = {
    "qos-1": lambda n: mp.publish("t", bytes(1000), 1, packet_id=1 + n % 65_535),
    "qos-2": lambda n: mp.publish("t", bytes(1000), 2, packet_id=1 + n % 65_535),
    "retained-qos-0": lambda n: mp.publish(f"r/{n}", bytes(1000), 0, True),
    "retained-qos-1": lambda n: mp.publish(f"r/{n}", bytes(1000), 1, True, 1 + n % 65_535),
    "qos-2-repeated": lambda n: mp.publish("t", b"again", 2, packet_id=1 + n % 20, dup=True),
    "subscribe": lambda n: mp.subscribe(1 + n % 60_000, [(f"s/{n}/" + "x" * 200, 1)]),
    "unsubscribe": lambda n: mp.unsubscribe(1 + n % 60_000, [f"s/{n}", "x" * 100]),
    "subscribe-and-unsubscribe": lambda n: mp.subscribe(1, [(f"s/{n}", 1)]) + mp.unsubscribe(2, [f"s/{n}"]),
    "pubrel-of-unknown": lambda n: mp.ack(PUBREL, 1 + n % 65_535),
    "pubrec-of-unknown": lambda n: mp.ack(PUBREC, 1 + n % 65_535),
    "puback-of-unknown": lambda n: mp.ack(PUBACK, 1 + n % 65_535),
    "pubcomp-of-unknown": lambda n: mp.ack(PUBCOMP, 1 + n % 65_535),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_client_that_goes_on_while_the_store_hangs_costs_the_limit(besiege_hanging, kind):
    siege, hang = besiege_hanging(PATIENT)
    _keep(siege, "t")
    hang()
    hostile = siege.attacker(_opening(), _blocks(kind, ATTACK))
    siege.during(hostile.run)
    print(f"{kind}: {hostile.ended}")
    siege.assert_bounded(4 * UNCOMMITTED, hostile.sent)


@pytest.mark.parametrize("kind", ("qos-1", "qos-2-repeated", "subscribe", "subscribe-and-unsubscribe", "unsubscribe",
                                  "pubrel-of-unknown"))
def test_clients_that_had_a_session_before_the_store_hung_cost_the_limit(besiege_hanging, kind):
    """Their CONNECT waits for nothing, so that each of many goes on."""
    siege, hang = besiege_hanging(PATIENT)
    _keep(siege, "t")
    names = [unique_name("h") for _ in range(4)]
    attackers = [siege.attacker(_opening(name), _blocks(kind, ATTACK // 4)) for name in names]
    for each in attackers:
        each.open()
    hang()
    siege.during(*(each.run for each in attackers))
    siege.assert_bounded(4 * UNCOMMITTED, sum(each.sent for each in attackers))


def test_sessions_that_reconnect_while_the_store_hangs_cost_the_limit(besiege_hanging):
    siege, hang = besiege_hanging("limits.sessions=300")
    hang()
    tries, size = 2000, 5000

    def work():
        for n in range(tries):
            will = mp.Will("w", bytes(size), 1)
            hostile = siege.attacker(mp.connect(f"again{n % 200}", clean=n % 5 == 0, keep_alive=0, will=will, props=KEPT)
                                     + mp.subscribe(1, [("s", 1)]))
            hostile.run()
            hostile.socket.close()

    siege.during(work)
    siege.assert_bounded(4 * UNCOMMITTED + 300 * (4 * size + 8192), tries * size)


def test_clients_that_leave_nothing_to_be_stored_go_on_while_as_much_waits_as_may(besiege_hanging):
    siege, hang = besiege_hanging(PATIENT)
    _keep(siege, "t")
    early = siege.client()
    hostile = siege.attacker(_opening(), _blocks("qos-1", ATTACK))
    hostile.open()
    hang()
    hostile.run()
    assert hostile.ended == "stopped"
    for client in (early, siege.client(), siege.client(version=4)):
        for qos in (0, 1, 2):
            topic = unique_name("mine")
            client.subscribe(topic, qos=qos)
            for payload in (b"one", b"two"):
                client.publish(topic, payload, qos)
                client.message(topic, payload, qos=qos)
            client.unsubscribe(topic)
    siege.trip()
