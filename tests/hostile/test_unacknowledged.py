"""Handshakes that are never brought to their end, from either side, and answers to what was never asked."""

import itertools
import threading

import pytest

import mqtt_packets as mp
from clients import unique_name
from mqtt_packets import PUBACK, PUBCOMP, PUBREC, PUBREL
from publishing import opening, publishing
from siege import CLIENT_BYTES, DEADLINE, MIB

ATTACK = 200 * MIB


@pytest.mark.parametrize("version", (4, 5))
@pytest.mark.parametrize("qos", (1, 2))
def test_a_receiver_that_reads_and_never_acknowledges_costs_its_limit(besiege, qos, version):
    siege, topic, done = besiege(), unique_name("t"), threading.Event()
    silent = siege.attacker(opening(topic, qos, version))
    listener = threading.Thread(target=silent.listen, args=(done,), daemon=True)
    listener.start()
    siege.during(publishing(siege, topic, 1, ATTACK))
    done.set()
    listener.join()
    siege.assert_bounded(2 * CLIENT_BYTES, ATTACK)


def test_a_receiver_that_comes_back_without_acknowledging_costs_its_limit(besiege):
    """What it left unacknowledged is sent again at each reconnect."""
    siege, topic = besiege(), unique_name("t")
    name = unique_name("h")

    def coming_back():
        for _ in range(20):
            back = siege.client(client_id=name, clean=False, props={"session_expiry": 1000})
            back.subscribe(topic, qos=1)
            for _ in range(8):
                back.unacknowledged_message(timeout=DEADLINE)
            back.drop()

    siege.during(coming_back, publishing(siege, topic, 1, ATTACK))
    siege.assert_bounded(2 * CLIENT_BYTES, ATTACK)


def test_qos_2_without_pubrel_for_ever_costs_nothing(besiege):
    """The broker stops it at its Receive Maximum; it comes back to the same session each time."""
    siege, attack, name = besiege(), 0, unique_name("h")
    payload = bytes(10_000)

    def work():
        nonlocal attack
        for round_ in range(15):
            client = siege.client(client_id=name, clean=False, props={"session_expiry": 1000})
            data = b"".join(mp.publish("t", payload, 2, packet_id=1 + round_ * 1024 + n) for n in range(1024))
            client.socket.settimeout(DEADLINE)
            client.socket.sendall(data)
            attack += len(data)
            for n in range(1024):
                client.wait_for(PUBREC, 1 + round_ * 1024 + n, timeout=DEADLINE)
            client.drop()

    siege.during(work)
    siege.assert_bounded(0, attack)


@pytest.mark.parametrize("type_", (PUBACK, PUBREC, PUBREL, PUBCOMP))
@pytest.mark.parametrize("version, reads", ((5, True), (5, False), (4, False)))
def test_acknowledgements_of_what_was_not_sent_cost_nothing(besiege, type_, version, reads):
    siege, attack = besiege(), 20 * MIB if reads else 60 * MIB
    block = b"".join(mp.ack(type_, n, version=version) for n in range(1, 65_536))
    stream = itertools.repeat(block, attack // len(block))
    connect = mp.connect(unique_name("h"), version, clean=False, keep_alive=0)
    hostile = siege.attacker(connect, stream, reads)
    siege.during(hostile.run)
    siege.assert_bounded(0, attack)
