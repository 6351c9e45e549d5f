"""The broker as its own client: publish, subscribe, inject, retained messages."""

import queue

import pytest
from peer import PATIENCE, Peer

from comqtt import Error, PacketType, Status, packets


@pytest.fixture
def received():
    return queue.Queue()


def test_a_published_message_reaches_a_client(server):
    peer = Peer.connected(server, "reader")
    assert peer.subscribe(("news/#", 1)) == [1]
    server.publish("news/today", "sunny", 1, properties={"content_type": "text/plain"},
                   user_properties=[("by", "me")])
    message = peer.expect(PacketType.PUBLISH)
    assert (message.topic, message.payload, message.qos) == ("news/today", b"sunny", 1)
    assert message.properties["content_type"] == "text/plain"
    assert message.user_properties == [("by", "me")]


def test_a_callback_gets_what_clients_publish(server, received):
    server.subscribe("news/#", received.put, qos=1, identifier=33)
    peer = Peer.connected(server, "writer")
    assert peer.publish_acknowledged("news/today", "rain", properties={"message_expiry_interval": 60}) == 0
    message = received.get(timeout=PATIENCE)
    assert (message.topic, message.payload, message.qos, message.origin) == ("news/today", b"rain", 1, "writer")
    assert message.properties["subscription_identifier"] == [33]


def test_a_message_outlives_its_callback_and_its_server(server, received):
    server.subscribe("t", received.put)
    server.publish("t", b"x" * 5000)
    message = received.get(timeout=PATIENCE)
    server.close()
    assert message.payload == b"x" * 5000
    with pytest.raises(Error) as caught:
        message.topic = "other"
    assert caught.value.status == Status.STATE


def test_unsubscribe_ends_the_callbacks(server, received):
    with server.subscribe("t", received.put):
        server.publish("t", "1")
        assert received.get(timeout=PATIENCE).payload == b"1"
    other = queue.Queue()
    server.subscribe("t", other.put)
    server.publish("t", "2")
    assert other.get(timeout=PATIENCE).payload == b"2"
    assert received.empty()


def test_unsubscribing_again_is_not_found(server, received):
    subscription = server.subscribe("t", received.put)
    subscription.unsubscribe()
    with pytest.raises(Error) as caught:
        subscription.unsubscribe()
    assert caught.value.status == Status.NOT_FOUND


def test_a_callback_may_publish(server, received):
    server.subscribe("question", lambda message: server.publish("answer", message.payload * 2))
    server.subscribe("answer", received.put)
    server.publish("question", "ab")
    assert received.get(timeout=PATIENCE).payload == b"abab"


def test_retained_messages_come_first_and_can_be_listed_and_removed(server, received):
    stored = queue.Queue()
    server.add_hook(on_retain_message=lambda event, client, packet, change: stored.put(change))
    for number, topic in enumerate(("kept/a", "kept/b"), 1):
        server.publish(topic, str(number), retain=True)
        assert stored.get(timeout=PATIENCE) == 1
    server.subscribe("kept/a", received.put)
    assert received.get(timeout=PATIENCE).retain
    assert {each.topic: each.payload for each in server.retained("kept/+")} == {"kept/a": b"1", "kept/b": b"2"}
    server.clear_retained("kept/a")
    assert [each.topic for each in server.retained()] == ["kept/b"]


def test_an_inline_client_is_injected_packets_of(server, received):
    server.subscribe("from/#", received.put)
    robot = server.inline_client("robot")
    assert robot.is_inline
    server.inject(robot, packets.publish("from/robot", "beep"))
    message = received.get(timeout=PATIENCE)
    assert (message.payload, message.origin) == (b"beep", "robot")


def test_a_packet_can_be_injected_as_a_connected_client(server, received):
    server.subscribe("t", received.put)
    peer = Peer.connected(server, "puppet")
    server.inject(server.client("puppet"), packets.publish("t", "on its behalf"))
    assert received.get(timeout=PATIENCE).origin == "puppet"
    server.inject(server.client("puppet"), packets.subscribe("u", packet_id=5))
    assert peer.expect(PacketType.SUBACK).packet_id == 5


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "nul\0"])
def test_a_topic_name_that_cannot_be_is_refused(server, topic):
    with pytest.raises(Error) as caught:
        server.publish(topic, "x")
    assert caught.value.status == Status.PROTOCOL


def test_a_server_without_inline_client_refuses_to_publish(make_server):
    with make_server(inline_client=False) as server, pytest.raises(Error) as caught:
        server.publish("t", "x")
    assert caught.value.status == Status.INLINE_DISABLED


def test_thousands_of_messages_arrive_in_order(server, received):
    server.subscribe("n", received.put)
    for number in range(5000):
        server.publish("n", str(number))
    assert [int(received.get(timeout=PATIENCE).payload) for _ in range(5000)] == list(range(5000))
