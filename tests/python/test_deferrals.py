"""Answers that come later, from any thread."""

import queue
import threading

import pytest
from peer import PATIENCE, Peer

from comqtt import ALLOW, DENY, FAIL, PENDING, PROCEED, Error, PacketType, Reason, Status, packets


@pytest.fixture
def waiting():
    return queue.Queue()


@pytest.fixture
def asking(make_server, waiting):
    """A server whose every CONNECT waits for an answer."""
    def ask(event, client, packet):
        waiting.put(event.defer())
        return PENDING
    server = make_server()
    server.add_hook(on_connect_authenticate=ask, on_acl_check=lambda *_: ALLOW)
    server.start()
    return server


def send_connect(server, name) -> Peer:
    peer = Peer(server)
    peer.send(packets.connect(name))
    return peer


def test_an_allow_from_another_thread_lets_the_client_in(asking, waiting):
    peer = send_connect(asking, "patient")
    deferral = waiting.get(timeout=PATIENCE)
    assert deferral.client.id == "patient"
    assert deferral.packet.client_id == "patient"
    assert deferral.complete(ALLOW) is True
    assert peer.expect(PacketType.CONNACK).reason == 0


def test_a_deny_carries_reason_and_text(asking, waiting):
    peer = send_connect(asking, "x")
    waiting.get(timeout=PATIENCE).complete(DENY, Reason.BANNED, "no")
    answer = peer.expect(PacketType.CONNACK)
    assert (answer.reason, answer.properties["reason_string"]) == (Reason.BANNED, "no")


def test_the_others_go_on_while_one_waits(asking, waiting):
    first = send_connect(asking, "first")
    held = waiting.get(timeout=PATIENCE)
    for number in range(10):
        other = send_connect(asking, f"other-{number}")
        waiting.get(timeout=PATIENCE).complete(ALLOW)
        assert other.expect(PacketType.CONNACK).reason == 0
    held.complete(ALLOW)
    assert first.expect(PacketType.CONNACK).reason == 0


def test_an_answer_may_come_before_the_callback_returns(make_server):
    def ask(event, client, packet):
        event.defer().complete(ALLOW)
        return PENDING
    server = make_server()
    server.add_hook(on_connect_authenticate=ask)
    with server:
        assert Peer(server).connect("x").reason == 0


def test_a_deferral_that_is_given_up_denies(asking, waiting):
    peer = send_connect(asking, "x")
    waiting.get(timeout=PATIENCE)
    assert peer.expect(PacketType.CONNACK).reason >= 0x80


def test_a_deferral_is_completed_once(asking, waiting):
    peer = send_connect(asking, "x")
    deferral = waiting.get(timeout=PATIENCE)
    deferral.complete(ALLOW)
    with pytest.raises(Error) as caught:
        deferral.complete(DENY)
    assert caught.value.status == Status.STATE
    assert peer.expect(PacketType.CONNACK).reason == 0


@pytest.mark.parametrize("answer", [PENDING, PROCEED, True])
def test_what_is_no_answer_leaves_the_deferral_open(asking, waiting, answer):
    peer = send_connect(asking, "x")
    deferral = waiting.get(timeout=PATIENCE)
    with pytest.raises((ValueError, TypeError)):
        deferral.complete(answer)
    deferral.complete(ALLOW)
    assert peer.expect(PacketType.CONNACK).reason == 0


def test_a_client_that_is_disconnected_cancels_its_deferral(server, waiting):
    def ask(event, client, packet):
        waiting.put(event.defer())
        return PENDING
    server.add_hook(on_publish=ask)
    peer = Peer.connected(server, "x")
    peer.publish("t")
    deferral = waiting.get(timeout=PATIENCE)
    cancelled = threading.Event()
    deferral.on_cancel(cancelled.set)
    server.disconnect("x")
    assert cancelled.wait(PATIENCE)
    assert deferral.cancelled
    assert deferral.complete(PROCEED) is False


def test_a_deferral_outlives_its_server(asking, waiting):
    send_connect(asking, "x")
    deferral = waiting.get(timeout=PATIENCE)
    asking.close()
    assert deferral.cancelled
    assert deferral.complete(ALLOW) is False


def test_the_time_for_an_answer_is_limited(make_server, waiting):
    def ask(event, client, packet):
        waiting.put(event.defer())
        return PENDING
    server = make_server(clock="manual", threads=1, limits={"deferral-timeout-ms": 5000})
    server.add_hook(on_connect_authenticate=ask)
    with server:
        peer = send_connect(server, "x")
        deferral = waiting.get(timeout=PATIENCE)
        server.advance(6000)
        assert peer.expect(PacketType.CONNACK).reason >= 0x80
        assert deferral.complete(ALLOW) is False


def test_a_message_can_be_changed_until_its_deferral_is_completed(server, waiting):
    seen = queue.Queue()

    def ask(event, client, packet):
        waiting.put(event.defer())
        return PENDING
    server.add_hook(on_publish=ask)
    peer = Peer.connected(server, "x")
    reader = Peer.connected(server, "reader")
    reader.subscribe("t")
    peer.publish("t", "draft", qos=1, packet_id=1)
    deferral = waiting.get(timeout=PATIENCE)
    packet = deferral.packet
    packet.payload = b"final"
    deferral.complete(PROCEED)
    assert peer.expect(PacketType.PUBACK).reason == 0
    assert reader.expect(PacketType.PUBLISH).payload == b"final"
    with pytest.raises(Error):
        packet.payload = b"too late"
    assert packet.payload == b"final"
    assert seen.empty()


def test_a_deferred_publish_can_fail(server, waiting):
    def ask(event, client, packet):
        waiting.put(event.defer())
        return PENDING
    server.add_hook(on_publish=ask)
    peer = Peer.connected(server, "x")
    peer.publish("t", qos=1, packet_id=1)
    waiting.get(timeout=PATIENCE).complete(FAIL, Reason.PAYLOAD_FORMAT_INVALID)
    assert peer.expect(PacketType.PUBACK).reason == Reason.PAYLOAD_FORMAT_INVALID


def test_pending_without_a_deferral_is_no_answer(make_server):
    server = make_server()
    server.add_hook(on_connect_authenticate=lambda *_: PENDING)
    with server:
        assert Peer(server).connect("x").reason == 0x86


def test_an_event_that_cannot_wait_has_no_deferral(server):
    errors = queue.Queue()

    def try_to_wait(event, client, packet):
        try:
            event.defer()
        except Error as error:
            errors.put(error.status)
    server.add_hook(on_published=try_to_wait)
    Peer.connected(server, "x").publish("t")
    assert errors.get(timeout=PATIENCE) == Status.STATE


def test_a_delayed_answer_waits_for_the_servers_clock(make_server, waiting):
    def ask(event, client, packet):
        waiting.put(event.defer())
        return PENDING
    server = make_server(clock="manual", threads=1)
    server.add_hook(on_connect_authenticate=ask)
    with server:
        peer = send_connect(server, "x")
        waiting.get(timeout=PATIENCE).complete(DENY, delay_ms=2000)
        with pytest.raises(TimeoutError):
            server.advance(1000)
            peer.pipe.read(timeout=0)
        server.advance(1500)
        assert peer.expect(PacketType.CONNACK).reason == 0x86
