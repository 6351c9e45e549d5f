"""Topic aliases in both directions."""

import random

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBLISH, PUBREC


def test_an_alias_stands_for_the_topic_it_was_last_set_to(mqtt, unique):
    """[MQTT-3.3.2-12] [MQTT-3.3.2-3]"""
    a, b = unique("t"), unique("t")
    watcher, client = mqtt.connect(), mqtt.connect()
    watcher.subscribe(a, b)
    for topic in (a, "", b, "", a, ""):
        client.send_publish(topic, b"x", props={"topic_alias": 3})
    assert [m.topic for m in watcher.messages(6)] == [a, a, b, b, a, a]


def test_all_aliases_up_to_the_announced_maximum_are_accepted(mqtt, unique):
    """[MQTT-3.3.2-12]"""
    topic = unique("t")
    watcher, client = mqtt.connect(), mqtt.connect()
    watcher.subscribe(topic + "/+")
    maximum = client.connack.properties["topic_alias_maximum"]
    assert maximum == 65535
    for alias in (1, 2, 255, 256, 32767, 32768, maximum):
        client.send_publish(f"{topic}/{alias}", b"set", props={"topic_alias": alias})
    for alias in (maximum, 1, 256):
        client.send_publish("", b"use", props={"topic_alias": alias})
    assert [m.topic for m in watcher.messages(10)][7:] == [f"{topic}/{a}" for a in (maximum, 1, 256)]


def test_an_alias_publish_can_be_retained_and_queued_under_its_topic(mqtt, unique):
    """[MQTT-3.3.1-5] [MQTT-4.5.0-1]"""
    topic, name = unique("t"), unique("c")
    sleeper = mqtt.connect(name, props={"session_expiry": 60, "topic_alias_maximum": 10})
    sleeper.subscribe(topic, qos=1)
    sleeper.disconnect()
    client = mqtt.connect()
    client.publish(topic, b"1", 1, props={"topic_alias": 1})
    client.publish("", b"2", 1, retain=True, props={"topic_alias": 1})
    again = mqtt.connect(name, clean=False)
    assert [m.topic for m in again.messages(2)] == [topic, topic]
    late = mqtt.connect()
    late.subscribe(topic)
    late.message(topic, b"2", retain=True)


def test_alias_0_is_invalid(mqtt, unique):
    """[MQTT-3.3.2-8]"""
    client = mqtt.connect()
    client.send_publish(unique("t"), b"x", props={"topic_alias": 0})
    client.expect_disconnect(0x94, 0x82)


def test_an_alias_without_a_topic_is_a_protocol_error(mqtt):
    """[MQTT-4.13.1-1] [MQTT-4.7.3-1]"""
    client = mqtt.connect()
    client.send_publish("", b"x", props={"topic_alias": 5})
    client.expect_disconnect(0x82, 0x94)


def test_an_empty_topic_without_an_alias_is_a_protocol_error(mqtt):
    """[MQTT-4.7.3-1] [MQTT-3.3.2-1]"""
    client = mqtt.connect()
    client.send_publish("", b"x")
    client.expect_disconnect(0x81, 0x82, 0x90)


def test_aliases_end_with_their_connection(mqtt, unique):
    """[MQTT-3.3.2-7]"""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.publish(topic, b"x", 1, props={"topic_alias": 1})
    client.drop()
    again = mqtt.connect(name, clean=False)
    again.send_publish("", b"x", 1, props={"topic_alias": 1})
    again.expect_disconnect(0x82, 0x94)


def test_the_broker_uses_aliases_only_when_the_client_wants_them(mqtt, unique):
    """[MQTT-3.1.2-27]"""
    topic = unique("t")
    publisher = mqtt.connect()
    for props in ({}, {"topic_alias_maximum": 0}):
        client = mqtt.connect(props=props)
        client.subscribe(topic)
        for _ in range(20):
            publisher.send_publish(topic, b"x", props={"topic_alias": 1})
        assert not any("topic_alias" in m.properties for m in client.messages(20))


@pytest.mark.parametrize("maximum", (1, 3, 65535))
def test_outbound_aliases_stay_in_range_and_follow_the_topics_in_use(mqtt, unique, maximum):
    """[MQTT-3.1.2-26] [MQTT-3.3.2-11] [MQTT-3.3.2-8] The referee resolves each alias; a late favourite gets one too."""
    prefix = unique("t")
    client = mqtt.connect(props={"topic_alias_maximum": maximum})
    client.subscribe(prefix + "/#", qos=1)
    publisher, chance = mqtt.connect(), random.Random(maximum)
    for _ in range(200):
        topic = f"{prefix}/{chance.randrange(8)}"
        publisher.send_publish(topic, topic.encode(), chance.randrange(2))
        message = client.message()
        assert message.topic.encode() == message.payload
    favourite = f"{prefix}/favourite"
    bare = 0
    for _ in range(200):
        publisher.send_publish(favourite, favourite.encode())
        message = client.message(favourite, favourite)
        bare += b"favourite" not in message.raw[: -len(favourite)]
    assert bare >= 100, f"an alias alone was sent only {bare} times of 200"


def test_queued_messages_are_not_sent_with_an_alias_of_the_old_connection(mqtt, unique):
    """[MQTT-3.3.2-7] The referee of the new connection knows no alias at first."""
    topic, name = unique("t"), unique("c")
    props = {"session_expiry": 60, "topic_alias_maximum": 4}
    client = mqtt.connect(name, props=props)
    client.subscribe(topic, qos=1)
    publisher = mqtt.connect()
    for i in range(10):
        publisher.publish(topic, b"%d" % i, 1)
    for i in range(10):
        client.unacknowledged_message(topic, b"%d" % i)
    client.drop()
    again = mqtt.connect(name, clean=False, props=props)
    for i in range(10):
        assert again.message(topic, b"%d" % i).type == PUBLISH


def test_a_discarded_large_message_does_not_define_an_alias(mqtt, unique):
    """[MQTT-3.1.2-26] [MQTT-3.1.2-25]"""
    topic = unique("t")
    client = mqtt.connect(props={"topic_alias_maximum": 4, "maximum_packet_size": 100})
    client.subscribe(topic)
    publisher = mqtt.connect()
    publisher.send_publish(topic, b"x" * 200)
    publisher.send_publish(topic, b"small")
    client.message(topic, b"small")


def test_a_repeated_publish_sets_its_alias_too(mqtt, unique):
    """[MQTT-4.3.3-10] [MQTT-3.3.2-12] Sent again on a new connection, which knows no alias yet."""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.send_publish(topic, b"1", 2, packet_id=1)
    client.wait_for(PUBREC)
    client.drop()
    again = mqtt.connect(name, clean=False, props={"session_expiry": 60})
    again.send_publish(topic, b"1", 2, packet_id=1, dup=True, props={"topic_alias": 1})
    again.wait_for(PUBREC)
    again.send_publish("", b"2", 1, packet_id=2, props={"topic_alias": 1})
    again.wait_for(PUBACK)


@pytest.mark.parametrize("qos", (0, 1))
def test_no_alias_makes_a_message_too_large_for_its_receiver(mqtt, unique, qos):
    """[MQTT-3.1.2-24] A message that fits without an alias is sent without one."""
    topic = unique("t")
    receiver = mqtt.connect(props={"maximum_packet_size": 150, "topic_alias_maximum": 5})
    receiver.subscribe(topic, qos=qos)
    client = mqtt.connect()
    bare = len(mp.publish(topic, b"", qos, packet_id=1 if qos else None, props={}))
    for size in range(110, 151):
        payload = b"z" * (size - bare - (1 if size > 129 else 0))
        client.publish(topic, payload, qos)
        receiver.message(None, payload)
