"""What a client sent before it connected again comes first, whichever thread its connections are accepted by."""

from __future__ import annotations

import pytest

import mqtt_packets as mp
from mqtt_packets import CONNACK, PUBLISH, SUBACK, Will

CYCLES = 1000


@pytest.fixture(params=[1, 2, 4], ids=lambda n: f"{n}-threads" if n > 1 else "1-thread")
def crowd(request, broker_cache):
    """Clients of a broker with this many threads, whatever --threads says."""
    from clients import Clients

    clients = Clients(broker_cache((), request.param))
    yield clients
    clients.close()
    assert clients.broker.alive(), f"the broker died:\n{clients.broker.log()}"


@pytest.mark.parametrize("version", [4, 5])
def test_a_client_that_disconnects_and_connects_again_at_once_never_leaves_its_will(crowd, unique, version):
    """[MQTT-3.1.2-10] [MQTT-3.14.4-3] What arrived before the new CONNECT is handled before it."""
    name, wills, messages = unique("c"), unique("wills"), unique("messages")
    watcher = crowd.connect(version=5)
    watcher.subscribe(wills, messages)
    for n in range(CYCLES):
        client = crowd.open(version)
        client.send_connect(name, will=Will(wills, b"%d" % n))
        client.expect(CONNACK, reason=0)
        client.send(mp.publish(messages, b"%d" % n, version=version), mp.disconnect(version=version))
        client.drop()
    crowd.connect(name).disconnect()
    arrived = watcher.messages(CYCLES)
    assert [p.payload for p in arrived] == [b"%d" % n for n in range(CYCLES)]
    assert {p.topic for p in arrived} == {messages}
    watcher.expect_nothing(via=crowd.connect())


def test_a_client_that_waits_for_nothing_is_heard_all_the_same(crowd, unique):
    """CONNECT, PUBLISH and DISCONNECT in one piece, the end, and the same again: no will, no message lost."""
    name, wills, messages = unique("c"), unique("wills"), unique("messages")
    watcher = crowd.connect(version=5)
    watcher.subscribe(wills, messages)
    for n in range(CYCLES):
        client = crowd.open(5)
        client.send(mp.connect(name, 5, will=Will(wills, b"%d" % n)), mp.publish(messages, b"%d" % n, version=5),
                    mp.disconnect(version=5))
        client.drop()
    arrived = watcher.messages(CYCLES)
    assert [p.payload for p in arrived] == [b"%d" % n for n in range(CYCLES)]
    assert {p.topic for p in arrived} == {messages}
    watcher.expect_nothing(via=crowd.connect())


def test_what_was_asked_for_before_a_reconnect_is_in_effect_after_it(crowd, unique):
    """SUBSCRIBE and QoS 1 PUBLISH on the old connection, which stays open or ends without DISCONNECT."""
    name, topic, count = unique("c"), unique("t"), unique("count")
    watcher = crowd.connect()
    watcher.subscribe(count)
    keeps = {"session_expiry": 100}
    for n in range(CYCLES // 4):
        client = crowd.open(5)
        client.send_connect(name, clean=True, props=keeps)
        client.expect(CONNACK, reason=0)
        client.send(mp.subscribe(1, [(f"{topic}/{n}", 0)], version=5), mp.publish(count, b"%d" % n, 1, packet_id=2, version=5))
        if n % 2:
            client.drop()
        again = crowd.open(5)
        again.send_connect(name, clean=False, props=keeps)
        assert again.expect(CONNACK, reason=0).session_present
        again.send(mp.publish(f"{topic}/{n}", b"heard", version=5))
        assert again.wait_for(PUBLISH).payload == b"heard"
        if n % 2 == 0:
            client.wait_for(SUBACK, 1)
            client.drop()
        again.disconnect()
    assert [p.payload for p in watcher.messages(CYCLES // 4)] == [b"%d" % n for n in range(CYCLES // 4)]
