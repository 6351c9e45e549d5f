"""Properties that the broker passes on, and what it says about itself only when asked."""

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK

EVERYTHING = {"payload_format": 1, "content_type": "text/plain; é", "response_topic": "answer/é/here",
              "correlation_data": bytes(range(256)),
              "user": [("b", "1"), ("a", ""), ("", "2"), ("b", "1"), ("é", "\ufeff")]}


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_properties_are_forwarded_untouched_and_in_order(mqtt, unique, qos):
    """[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] [MQTT-1.5.4-3]"""
    topic = unique("t")
    client = mqtt.connect()
    client.subscribe(topic, qos=2)
    mqtt.connect().publish(topic, "päyload", qos, props=EVERYTHING)
    assert client.message(topic, "päyload", qos=qos).properties == EVERYTHING


def test_properties_survive_being_retained_queued_and_shared(mqtt, unique):
    """[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]"""
    topic, name = unique("t"), unique("c")
    sleeper = mqtt.connect(name, props={"session_expiry": 60})
    sleeper.subscribe(topic, qos=1)
    sleeper.disconnect()
    member = mqtt.connect()
    member.subscribe(f"$share/g/{topic}", qos=1)
    mqtt.connect().publish(topic, b"x", 1, retain=True, props=EVERYTHING)
    late = mqtt.connect()
    late.subscribe(topic, qos=1)
    for client in (mqtt.connect(name, clean=False), member, late):
        assert client.message(topic, b"x").properties == EVERYTHING


def test_hop_by_hop_properties_are_not_forwarded(mqtt, unique):
    """[MQTT-3.1.2-27] [MQTT-3.3.4-6] Another client's alias stays with it."""
    topic = unique("t")
    client = mqtt.connect()
    client.subscribe(topic)
    mqtt.connect().send_publish(topic, b"x", props={"topic_alias": 9, "user": [("k", "v")]})
    assert client.message(topic, b"x").properties == {"user": [("k", "v")]}


@pytest.mark.parametrize("version", (3, 4))
def test_a_3x_subscriber_gets_the_message_without_properties(mqtt, unique, version):
    """[MQTT-2.2.2-1] And a 5.0 subscriber of a 3.x publisher gets an empty list."""
    topic = unique("t")
    old, new = mqtt.connect(version=version), mqtt.connect()
    for client in (old, new):
        client.subscribe(topic, qos=1)
    new.publish(topic, b"from 5.0", 1, props=EVERYTHING)
    old.message(topic, b"from 5.0")
    new.message(topic, b"from 5.0")
    old.publish(topic, b"from 3.x", 1)
    old.message(topic, b"from 3.x")
    assert new.message(topic, b"from 3.x").properties == {}


def test_packets_without_properties_say_so_with_a_length_of_0(mqtt, unique):
    """[MQTT-2.2.2-1] Strict parsing would take anything else for payload or reason codes."""
    topic = unique("t")
    client = mqtt.connect()
    suback = client.subscribe(topic)
    assert suback.raw[4] == 0
    assert client.unsubscribe("no").raw[4] == 0
    client.subscribe(topic)
    client.send_publish(topic, b"")
    message = client.message(topic, b"")
    assert message.raw[-1] == 0 and len(message.raw) == 2 + 2 + len(topic) + 1


@pytest.mark.parametrize("props", [{"response_topic": "a/+"}, {"response_topic": "#"}, {"response_topic": b"\xff"},
                                   {"content_type": b"\xc0\x80"}, {"content_type": b"a\0"}, {"payload_format": 2},
                                   {"user": [("a\0", "b")]}, {"user": [("a", b"\xed\xa0\x80")]},
                                   [("content_type", "a"), ("content_type", "b")], {"will_delay": 1},
                                   [("correlation_data", b"a"), ("correlation_data", b"a")], {"session_expiry": 1},
                                   [("topic_alias", 1), ("topic_alias", 1)], b"\x00", b"\x7f\x01", b"\x01",
                                   b"\x26\0\1k"])
def test_properties_that_publish_may_not_have_end_the_connection(mqtt, unique, props):
    """[MQTT-3.3.2-13] [MQTT-3.3.2-14] [MQTT-3.3.2-19] [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-4.13.1-1]"""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    client = mqtt.connect()
    client.send_publish(topic, b"x", 1, props=props)
    client.expect_disconnect(0x81, 0x82, 0x90, 0x99)
    watcher.expect_nothing(via=mqtt.connect())


def test_nothing_but_publish_connack_and_disconnect_explains_itself_when_not_wanted(mqtt, unique):
    """[MQTT-3.1.2-29] The referee looks at every packet; user properties of messages are forwarded all the same."""
    topic = unique("t")
    user = {"user": [("k", "v")]}
    client = mqtt.connect(props={"request_problem_info": 0})
    client.send(mp.subscribe(1, [(topic, 2), ("bad/#/x", 0)], user))
    client.expect(SUBACK, reasons=[2, 0x8F])
    client.send(mp.publish(topic, b"1", 1, packet_id=2, props=user))
    client.wait_for(PUBACK)
    assert client.message(topic, b"1").properties == user
    client.send(mp.publish(topic, b"2", 2, packet_id=3, props=user))
    client.wait_for(PUBREC)
    client.send(mp.ack(PUBREL, 3, 0, user))
    client.wait_for(PUBCOMP)
    assert client.message(topic, b"2").properties == user
    client.send(mp.ack(PUBREL, 77, 0, user))
    client.expect(PUBCOMP, reason=0x92)
    client.send(mp.unsubscribe(4, [topic, "no"], user))
    client.expect(UNSUBACK, reasons=[0, 0x11])
    client.send_publish("", b"x")
    client.expect_disconnect(0x81, 0x82, 0x90)


def test_a_disconnect_says_in_words_what_was_wrong(mqtt):
    """[MQTT-3.14.2-1] Which makes a protocol error easy to find."""
    client = mqtt.connect()
    client.send_publish("a/+/b", b"x")
    packet = client.expect_disconnect(0x81, 0x82, 0x90)
    assert packet.properties.get("reason_string")


@pytest.mark.parametrize("type_, codes", [(PUBACK, (0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)),
                                          (PUBREC, (0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99))])
def test_every_acknowledgement_reason_with_properties_is_understood(mqtt, unique, type_, codes):
    """[MQTT-3.4.2-1] [MQTT-3.5.2-1]"""
    topic = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(topic, qos=2)
    for code in codes:
        publisher.publish(topic, b"%d" % code, 1 if type_ == PUBACK else 2)
        message = client.unacknowledged_message(topic, b"%d" % code)
        client.send_ack(type_, message.packet_id, code, {"reason_string": "why", "user": [("a", "b"), ("a", "b")]})
    client.expect_nothing(via=publisher)


def test_long_forms_of_acknowledgements_are_understood(mqtt, unique):
    """[MQTT-2.2.2-1] Reason 0 without properties, with an empty list, and with a full one."""
    topic = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(topic, qos=2)
    for tail in (b"", b"\0", b"\0\0", b"\0\x05\x1f\0\2ok"):
        publisher.publish(topic, tail, 2)
        message = client.unacknowledged_message(topic, tail)
        identifier = message.packet_id.to_bytes(2, "big")
        client.send(mp.frame(PUBREC, identifier + tail))
        client.expect(PUBREL, packet_id=message.packet_id, reason=0)
        client.referee.sent(PUBCOMP, message.packet_id, 0)
        client.send(mp.frame(PUBCOMP, identifier + tail))
    client.expect_nothing(via=publisher)
