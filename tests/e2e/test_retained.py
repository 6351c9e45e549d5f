"""Retained messages."""

import socket

import pytest

import mqtt_packets as mp
from mqtt_packets import SUBACK

VERSIONS = (3, 4, 5)


def _retain(mqtt, topic, payload, qos=1, **fields):
    mqtt.connect().publish(topic, payload, qos, retain=True, **fields)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", (0, 1, 2))
def test_the_last_retained_message_of_a_topic_goes_to_new_subscribers(mqtt, unique, version, qos):
    """[MQTT-3.3.1-5] [MQTT-3.3.1-9] [MQTT-3.8.4-8]"""
    topic = unique("t")
    publisher = mqtt.connect(version=version)
    for payload in (b"old", b"new"):
        publisher.publish(topic, payload, qos, retain=True)
    publisher.ping()
    client = mqtt.connect(version=version)
    client.subscribe(topic, qos=2)
    client.message(topic, b"new", retain=True, qos=qos, dup=False)
    client.expect_nothing()


def test_a_qos_0_retained_message_replaces_the_stored_one_too(mqtt, unique):
    """[MQTT-3.3.1-5]"""
    topic = unique("t")
    _retain(mqtt, topic, b"1", 2)
    publisher = mqtt.connect()
    publisher.publish(topic, b"2", 0, retain=True)
    publisher.ping()
    client = mqtt.connect()
    client.subscribe(topic, qos=2)
    client.message(topic, b"2", retain=True, qos=0)


def test_an_empty_retained_message_removes_the_stored_one_and_is_delivered(mqtt, unique):
    """[MQTT-3.3.1-6] [MQTT-3.3.1-7]"""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    _retain(mqtt, topic, b"x")
    _retain(mqtt, topic, b"")
    assert [m.payload for m in watcher.messages(2)] == [b"x", b""]
    late = mqtt.connect()
    late.subscribe(topic)
    late.expect_nothing(via=mqtt.connect())
    _retain(mqtt, topic, b"")
    watcher.message(topic, b"")


def test_a_message_without_retain_leaves_the_stored_one_alone(mqtt, unique):
    """[MQTT-3.3.1-8]"""
    topic, other = unique("t"), unique("t")
    _retain(mqtt, topic, b"kept")
    publisher = mqtt.connect()
    for payload in (b"passing", b""):
        publisher.publish(topic, payload, 1)
    publisher.publish(other, b"x", 1)
    client = mqtt.connect()
    client.subscribe(topic, other)
    client.message(topic, b"kept", retain=True)
    client.expect_nothing()


def test_retain_handling_0_sends_at_every_subscribe(mqtt, unique):
    """[MQTT-3.3.1-9] [MQTT-3.8.4-4]"""
    topic = unique("t")
    _retain(mqtt, topic, b"x")
    client = mqtt.connect()
    for _ in range(3):
        client.subscribe(topic, retain_handling=0)
        client.message(topic, b"x", retain=True)


def test_retain_handling_1_sends_only_to_a_new_subscription(mqtt, unique):
    """[MQTT-3.3.1-10]"""
    topic, name = unique("t"), unique("c")
    _retain(mqtt, topic, b"x")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, retain_handling=1)
    client.message(topic, b"x", retain=True)
    client.subscribe(topic, qos=1, retain_handling=1)
    client.expect_nothing()
    client.drop()
    again = mqtt.connect(name, clean=False)
    again.subscribe(topic, retain_handling=1)
    again.expect_nothing()
    again.unsubscribe(topic)
    again.subscribe(topic, retain_handling=1)
    again.message(topic, b"x", retain=True)


def test_retain_handling_2_sends_nothing(mqtt, unique):
    """[MQTT-3.3.1-11]"""
    topic = unique("t")
    _retain(mqtt, topic, b"x")
    client = mqtt.connect()
    client.subscribe(topic, retain_handling=2)
    client.expect_nothing()


def test_retain_as_published_decides_the_flag_of_live_messages(mqtt, unique):
    """[MQTT-3.3.1-12] [MQTT-3.3.1-13]"""
    topic = unique("t")
    plain, keeping, old = mqtt.connect(), mqtt.connect(), mqtt.connect(version=4)
    plain.subscribe(topic, qos=1)
    keeping.subscribe(topic, qos=1, rap=True)
    old.subscribe(topic, qos=1)
    publisher = mqtt.connect()
    for retain in (True, False):
        publisher.publish(topic, b"x", 1, retain=retain)
        plain.message(topic, b"x", retain=False)
        old.message(topic, b"x", retain=False)
        keeping.message(topic, b"x", retain=retain)


def test_retained_messages_are_marked_whatever_retain_as_published_says(mqtt, unique):
    """[MQTT-3.3.1-9]"""
    topic = unique("t")
    _retain(mqtt, topic, b"x")
    for rap in (False, True):
        client = mqtt.connect()
        client.subscribe(topic, rap=rap)
        client.message(topic, b"x", retain=True)


def test_wildcards_find_retained_messages(mqtt, unique):
    """[MQTT-3.3.1-9] [MQTT-4.7.1-1] [MQTT-4.7.1-2]"""
    p = unique("t")
    topics = [p, f"{p}/", f"{p}/a", f"{p}/a/b", f"{p}/a/c", f"{p}/b", f"{p}//x", f"/{p}"]
    publisher = mqtt.connect()
    for topic in topics:
        publisher.publish(topic, topic.encode(), 1, retain=True)
    table = {
        f"{p}/#": topics[:7], f"{p}/+": [f"{p}/", f"{p}/a", f"{p}/b"], f"{p}/+/b": [f"{p}/a/b"],
        f"{p}/a/#": [f"{p}/a", f"{p}/a/b", f"{p}/a/c"], f"{p}/+/+": [f"{p}/a/b", f"{p}/a/c", f"{p}//x"],
        f"+/{p}": [f"/{p}"], f"{p}//#": [f"{p}/", f"{p}//x"], f"{p}/+/#": topics[1:7], f"{p}/b": [f"{p}/b"],
    }
    for filter_, expected in table.items():
        client = mqtt.connect()
        client.subscribe(filter_)
        assert sorted(m.topic for m in client.messages(len(expected))) == sorted(expected), filter_
        client.expect_nothing()


def test_leading_wildcards_find_one_level_topics_and_no_dollar_topics(mqtt_with, unique):
    """[MQTT-4.7.2-1]"""
    mqtt = mqtt_with("sys-topic-resend-interval=1")
    topic = unique("t")
    _retain(mqtt, topic, b"x")
    for filter_ in ("#", "+/#", "+"):
        client = mqtt.connect()
        client.subscribe(filter_)
        found = set()
        while topic not in found:
            found.add(client.message().topic)
        client.settle(mqtt.connect())
        found |= {m.topic for m in client.inbox}
        assert not any(t.startswith("$") for t in found), filter_


def test_every_filter_of_one_subscribe_gets_its_retained_messages_after_the_suback(mqtt, unique):
    """[MQTT-3.8.4-5] [MQTT-3.3.1-9]"""
    a, b = unique("t"), unique("t")
    _retain(mqtt, a, b"a")
    _retain(mqtt, b, b"b")
    client = mqtt.connect()
    client.send(mp.subscribe(1, [(a, 0), ("bad/#/filter", 0), (b, mp.options(1))], {"subscription_id": 9}))
    client.expect(SUBACK, reasons=[0, 0x8F, 1])
    got = client.messages(2)
    assert {(m.topic, m.qos) for m in got} == {(a, 0), (b, 1)}
    assert all(m.properties["subscription_id"] == [9] for m in got)


def test_a_resumed_session_does_not_get_retained_messages_again(mqtt, unique):
    """[MQTT-3.1.2-5]"""
    topic, name = unique("t"), unique("c")
    _retain(mqtt, topic, b"x")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic)
    client.message(topic, b"x")
    client.drop()
    mqtt.connect(name, clean=False).expect_nothing()


def test_retained_messages_outlive_their_publisher(mqtt, unique):
    """[MQTT-4.1.0-2] They belong to no session."""
    topic = unique("t")
    publisher = mqtt.connect(unique("c"))
    publisher.publish(topic, b"x", 2, retain=True)
    publisher.disconnect()
    client = mqtt.connect(version=4)
    client.subscribe(topic, qos=1)
    client.message(topic, b"x", retain=True, qos=1)


def test_a_retained_message_to_a_full_receiver_waits_for_its_quota(mqtt, unique):
    """[MQTT-3.3.4-9]"""
    prefix = unique("t")
    publisher = mqtt.connect()
    for i in range(20):
        publisher.publish(f"{prefix}/{i}", b"%d" % i, 1, retain=True)
    client = mqtt.connect(props={"receive_maximum": 3})
    client.subscribe(prefix + "/+", qos=1)
    held = [client.unacknowledged_message() for _ in range(3)]
    client.expect_nothing()
    for message in held:
        client.send_ack(mp.PUBACK, message.packet_id)
    rest = client.messages(17)
    assert {m.payload for m in held + rest} == {b"%d" % i for i in range(20)}


def test_a_retained_message_does_not_come_after_the_one_that_replaced_it(mqtt, unique):
    """[MQTT-4.6.0-5] However a subscription and a publication meet."""
    publisher, subscriber = mqtt.connect(), mqtt.connect()
    for number in range(200):
        topic = unique("t")
        publisher.publish(topic, b"old", 1, retain=True)
        subscriber.send(mp.subscribe(number + 1, [(topic, 0)]))
        publisher.publish(topic, b"new", 1, retain=True)
        subscriber.expect(SUBACK)
        while subscriber.message(topic).payload != b"new":
            pass
        last = f"{topic}/last"
        subscriber.subscribe(last)
        publisher.publish(last, b"end", 1)
        got = subscriber.message()
        while got.topic != last:
            assert got.payload == b"new"
            got = subscriber.message()


def test_a_client_that_sends_no_more_is_still_sent_everything_retained(mqtt, unique):
    """More than fits anywhere on the way, on every thread; then the broker closes."""
    topic, count, payload = unique("t"), 3000, b"x" * 1000
    writer = mqtt.connect()
    for i in range(count):
        writer.send_publish(f"{topic}/{i}", payload, retain=True)
    writer.publish(f"{topic}/end", b"x", 1, retain=True)
    try:
        client = mqtt.connect(receive_buffer=4096)
        client.send(mp.subscribe(1, [(f"{topic}/#", 0), (f"{topic}/none/#", 0)]))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read().type == mp.SUBACK
        seen = {client.read().topic for _ in range(count + 1)}
        assert len(seen) == count + 1
        client.expect_closed()
    finally:
        for i in range(count):
            writer.send_publish(f"{topic}/{i}", b"", retain=True)
        writer.publish(f"{topic}/end", b"", 1, retain=True)
