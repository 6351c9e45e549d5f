"""Maximum Packet Size of a client: nothing larger is ever sent to it (the referee measures every packet)."""

import pytest

import mqtt_packets as mp
from mqtt_packets import CONNACK, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK, Will
from mqtt_wire import Closed

BIG = {"user": [("key", "v" * 200)]}


def test_a_message_too_large_for_a_client_is_discarded_for_it_alone(mqtt, unique):
    """[MQTT-3.1.2-24] [MQTT-3.1.2-25]"""
    topic = unique("t")
    small, large = mqtt.connect(props={"maximum_packet_size": 100}), mqtt.connect()
    for client in (small, large):
        client.subscribe(topic, qos=1)
    publisher = mqtt.connect()
    for payload in (b"1", b"x" * 200, b"2"):
        publisher.publish(topic, payload, 1)
    assert [m.payload for m in small.messages(2)] == [b"1", b"2"]
    assert [m.payload for m in large.messages(3)] == [b"1", b"x" * 200, b"2"]
    small.expect_nothing(via=publisher)


def test_a_packet_of_exactly_the_maximum_is_sent(mqtt, unique):
    """[MQTT-3.1.2-24]"""
    topic = unique("t")
    client = mqtt.connect(props={"maximum_packet_size": 100})
    client.subscribe(topic)
    room = 100 - len(mp.publish(topic, b""))
    publisher = mqtt.connect()
    for size in (room, room + 1, room):
        publisher.send_publish(topic, b"x" * size)
    assert [len(m.raw) for m in client.messages(2)] == [100, 100]
    client.expect_nothing(via=publisher)


def test_properties_count_too(mqtt, unique):
    """[MQTT-3.1.2-24] [MQTT-3.1.2-25] Application properties are never cut off to make a message fit."""
    topic = unique("t")
    client = mqtt.connect(props={"maximum_packet_size": 100})
    client.subscribe(topic, props={"subscription_id": 268435455})
    publisher = mqtt.connect()
    publisher.send_publish(topic, b"x", props=BIG)
    client.expect_nothing(via=publisher)


def test_an_oversized_queued_message_does_not_stop_a_session_from_resuming(mqtt, unique):
    """[MQTT-3.1.2-25] [MQTT-4.3.3-13] The large one counts as delivered; those around it arrive."""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, qos=1)
    client.disconnect()
    publisher = mqtt.connect()
    for payload in (b"1", b"x" * 500, b"2"):
        publisher.publish(topic, payload, 1)
    for expected in ([b"1", b"2"], []):
        again = mqtt.connect(name, clean=False, props={"session_expiry": 60, "maximum_packet_size": 100})
        assert [m.payload for m in again.messages(len(expected))] == expected
        again.expect_nothing(via=publisher)
        again.disconnect()


def test_discarded_large_messages_do_not_use_up_the_receive_maximum(mqtt, unique):
    """[MQTT-3.1.2-25] [MQTT-3.3.4-9]"""
    topic = unique("t")
    client = mqtt.connect(props={"maximum_packet_size": 100, "receive_maximum": 2})
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    for i in range(10):
        publisher.publish(topic, b"x" * 500, 1 + i % 2)
    publisher.publish(topic, b"small", 2)
    client.message(topic, b"small")


def test_acknowledgements_leave_out_what_would_make_them_too_large(mqtt_with, unique):
    """[MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.6.2-3] [MQTT-3.7.2-3] [MQTT-3.9.2-2] [MQTT-3.11.2-2] [MQTT-3.1.2-24]"""
    mqtt = mqtt_with("capabilities.compatibilities.no-inherited-properties-on-ack=false")
    topic = unique("t")
    client = mqtt.connect(props={"maximum_packet_size": 60})
    client.send(mp.publish(topic, b"", 1, packet_id=1, props=BIG))
    client.expect(PUBACK, packet_id=1, properties={})
    client.send(mp.publish(topic, b"", 2, packet_id=2, props=BIG))
    client.expect(PUBREC, packet_id=2, properties={})
    client.send(mp.ack(PUBREL, 2, 0, BIG))
    client.expect(PUBCOMP, packet_id=2, properties={})
    client.send(mp.subscribe(3, [(topic, 2)], BIG))
    client.expect(SUBACK, packet_id=3, reasons=[2], properties={})
    client.publish(topic, b"x", 2)
    message = client.unacknowledged_message(topic, b"x")
    client.send_ack(PUBREC, message.packet_id, 0, BIG)
    client.expect(PUBREL, packet_id=message.packet_id, properties={})
    client.send_ack(PUBCOMP, message.packet_id)
    client.send(mp.unsubscribe(4, [topic], BIG))
    client.expect(UNSUBACK, packet_id=4, reasons=[0], properties={})


def test_reason_strings_are_left_out_when_they_do_not_fit(mqtt_with, unique):
    """[MQTT-3.9.2-1] [MQTT-3.11.2-1] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2]"""
    mqtt = mqtt_with("limits.topic-levels=3")
    # A CONNACK must fit too; everything that follows gets exactly the room its short form needs.
    client = mqtt.connect(unique("c"), props={"maximum_packet_size": 20})
    client.send(mp.subscribe(1, [("a/#/b", 0)]))
    assert client.expect(SUBACK, packet_id=1).reasons == [0x8F]
    client.send(mp.unsubscribe(2, ["not/there"]))
    assert client.expect(UNSUBACK, packet_id=2).reasons == [0x11]
    client.send(mp.ack(PUBREL, 3))
    client.expect(PUBCOMP, packet_id=3, reason=0x92)
    client.send(mp.ack(PUBREC, 4))
    client.expect(PUBREL, packet_id=4, reason=0x92)
    for qos, type_ in ((1, PUBACK), (2, PUBREC)):
        client.send(mp.publish("a/b/c/d", b"", qos, packet_id=5))
        answer = client.next()
        assert answer.type in (type_, mp.DISCONNECT) and answer.reason == 0x90, answer
        if answer.type == mp.DISCONNECT:
            client = mqtt.connect(unique("c"), props={"maximum_packet_size": 20})


@pytest.mark.parametrize("size", (20, 25, 30, 40, 200))
def test_a_disconnect_shrinks_until_it_fits(mqtt, unique, size):
    """[MQTT-3.14.2-3] [MQTT-3.14.2-4] [MQTT-3.1.2-24]"""
    client = mqtt.connect(unique("c"), props={"maximum_packet_size": size})
    client.send(mp.frame(mp.SUBSCRIBE, b"\0\1\0\0\1a\0", flags=0))
    client.expect_disconnect(0x81, 0x82)


def test_a_refusing_connack_shrinks_until_it_fits(mqtt_with, unique):
    """[MQTT-3.2.2-19] [MQTT-3.2.2-20]"""
    mqtt = mqtt_with("capabilities.maximum-qos=1")
    for size in (5, 6, 12, 300):
        client = mqtt.open()
        client.connect(unique("c"), props={"maximum_packet_size": size, **BIG}, will=Will("w", qos=2), expect=0x9B)
        client.expect_closed()


def test_a_connack_that_cannot_fit_is_not_sent(mqtt, unique):
    """[MQTT-3.1.2-24] The connection ends instead."""
    client = mqtt.open()
    client.send_connect(unique("c"), props={"maximum_packet_size": 1})
    client.expect_closed()


def test_an_assigned_client_id_is_never_left_out_to_save_room(mqtt):
    """[MQTT-3.1.3-7] [MQTT-3.2.2-16] It is sent whole or the connection ends."""
    client = mqtt.open()
    client.send_connect("", props={"maximum_packet_size": 12})
    try:
        answer = client.next()
    except Closed:
        return
    assert answer.type == CONNACK and answer.reason >= 0x80, answer


def test_a_too_large_retained_message_or_will_is_skipped_too(mqtt, unique):
    """[MQTT-3.1.2-25]"""
    prefix = unique("t")
    publisher = mqtt.connect()
    publisher.publish(prefix + "/a", b"1", 1, retain=True)
    publisher.publish(prefix + "/b", b"x" * 500, 1, retain=True)
    publisher.publish(prefix + "/c", b"3", 1, retain=True)
    client = mqtt.connect(props={"maximum_packet_size": 100})
    client.subscribe(prefix + "/#")
    assert {m.payload for m in client.messages(2)} == {b"1", b"3"}
    willing = mqtt.connect(unique("c"), will=Will(prefix + "/w", b"x" * 500))
    willing.drop()
    client.expect_nothing(via=publisher)


@pytest.mark.parametrize("packet", (SUBACK, UNSUBACK))
def test_an_answer_to_filters_that_is_too_large_ends_the_connection_with_its_reason(mqtt, unique, packet):
    """[MQTT-3.8.4-1] [MQTT-3.10.4-4] [MQTT-3.1.2-24] It is owed, and may not be sent."""
    client = mqtt.connect(unique("c"), props={"maximum_packet_size": 30})
    filters = [unique("f") for _ in range(50)]
    client.send(mp.subscribe(1, [(each, 0) for each in filters]) if packet == SUBACK else mp.unsubscribe(1, filters))
    assert client.expect(mp.DISCONNECT).reason == 0x95
    client.expect_closed()
