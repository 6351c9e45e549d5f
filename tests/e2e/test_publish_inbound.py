"""PUBLISH from a client: what the broker answers and what others receive."""

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBCOMP, PUBREC, PUBREL

VERSIONS = (3, 4, 5)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", (0, 1, 2))
def test_each_qos_gets_its_own_answer_with_the_same_packet_id(mqtt, unique, version, qos):
    """[MQTT-3.3.4-1] [MQTT-2.2.1-5] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-3.4.2-1] [MQTT-3.5.2-1]
    [MQTT-3.7.2-1]"""
    topic = unique("t")
    client = mqtt.connect(version=version)
    client.subscribe(topic, qos=0)
    client.send_publish(topic, b"x", qos, packet_id=54321 if qos else None)
    if qos == 1:
        assert client.wait_for(PUBACK).packet_id == 54321
    if qos == 2:
        assert client.wait_for(PUBREC).packet_id == 54321
        client.send_ack(PUBREL, 54321)
        assert client.wait_for(PUBCOMP).packet_id == 54321
    client.message(topic, b"x")
    client.expect_nothing()


@pytest.mark.parametrize("packet_id", (1, 2, 255, 256, 32768, 65535))
@pytest.mark.parametrize("qos", (1, 2))
def test_every_packet_id_from_1_to_65535_is_usable(mqtt, unique, packet_id, qos):
    """[MQTT-2.2.1-3] [MQTT-2.2.1-5]"""
    client = mqtt.connect()
    client.publish(unique("t"), b"x", qos, packet_id=packet_id)


def test_a_second_qos_1_publish_with_the_same_id_is_a_new_message_after_puback(mqtt, unique):
    """[MQTT-4.3.2-5] DUP or not."""
    topic = unique("t")
    watcher, client = mqtt.connect(), mqtt.connect()
    watcher.subscribe(topic, qos=1)
    for payload, dup in ((b"1", False), (b"2", False), (b"3", True)):
        client.send_publish(topic, payload, 1, packet_id=7, dup=dup)
        client.expect(PUBACK, packet_id=7)
    assert [m.payload for m in watcher.messages(3)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_repeated_qos_2_publish_is_acknowledged_again_and_delivered_once(mqtt, unique, version):
    """[MQTT-4.3.3-10] [MQTT-4.3.3-12] PUBREC with success each time; after PUBCOMP the id is new again."""
    topic = unique("t")
    watcher, client = mqtt.connect(), mqtt.connect(version=version)
    watcher.subscribe(topic, qos=2)
    client.send_publish(topic, b"once", 2, packet_id=7)
    client.expect(PUBREC, packet_id=7, reason=0)
    for _ in range(3):
        client.send_publish(topic, b"once", 2, packet_id=7, dup=True)
        assert client.expect(PUBREC, packet_id=7).reason in (0, 0x10)
    client.send_ack(PUBREL, 7)
    client.expect(PUBCOMP, packet_id=7, reason=0)
    client.publish(topic, b"twice", 2, packet_id=7, dup=True)
    assert [m.payload for m in watcher.messages(2)] == [b"once", b"twice"]
    watcher.expect_nothing(via=client)


def test_a_qos_2_publish_is_delivered_once_across_a_reconnect(mqtt, unique):
    """[MQTT-4.3.3-10] [MQTT-3.1.2-5] The received packet ids belong to the session, not to the connection."""
    topic, name = unique("t"), unique("c")
    watcher = mqtt.connect()
    watcher.subscribe(topic, qos=2)
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.send_publish(topic, b"once", 2, packet_id=9)
    client.expect(PUBREC, packet_id=9, reason=0)
    client.drop()
    again = mqtt.connect(name, clean=False, props={"session_expiry": 60})
    assert again.connack.session_present
    again.send_publish(topic, b"once", 2, packet_id=9, dup=True)
    assert again.expect(PUBREC, packet_id=9).reason in (0, 0x10)
    again.send_ack(PUBREL, 9)
    again.expect(PUBCOMP, packet_id=9, reason=0)
    watcher.message(topic, b"once")
    watcher.expect_nothing(via=again)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pubrel_is_answered_even_when_its_message_is_unknown(mqtt, version):
    """[MQTT-4.3.3-11] [MQTT-3.7.2-1]"""
    client = mqtt.connect(version=version)
    client.send_ack(PUBREL, 4242)
    client.expect(PUBCOMP, packet_id=4242, reason=0x92 if version == 5 else 0)
    client.expect_nothing()


def test_acknowledgements_that_answer_nothing_do_no_harm(mqtt, unique):
    """[MQTT-3.6.2-1] An unknown PUBREC is answered by PUBREL 0x92; PUBACK and PUBCOMP by nothing."""
    client = mqtt.connect()
    client.send_ack(PUBACK, 77)
    client.send_ack(PUBCOMP, 78)
    client.expect_nothing()
    client.send_ack(PUBREC, 79)
    client.expect(PUBREL, packet_id=79, reason=0x92)
    client.publish(unique("t"), b"x", 2)


def test_a_clients_packet_ids_and_the_servers_do_not_meet(mqtt, unique):
    """[MQTT-2.2.1-4] [MQTT-4.3.2-3] A publish with an id that the server uses towards the client loses nothing."""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, qos=1)
    mqtt.connect().publish(topic, b"mine", 1)
    message = client.unacknowledged_message(topic, b"mine")
    for qos in (1, 2):
        client.publish(unique("other"), b"x", qos, packet_id=message.packet_id)
    client.send(mp.subscribe(message.packet_id, [(unique("t"), 0)]))
    assert client.expect(mp.SUBACK, packet_id=message.packet_id).reasons == [0]
    client.drop()
    again = mqtt.connect(name, clean=False)
    again.message(topic, b"mine", dup=True, packet_id=message.packet_id)


def test_a_publish_to_nobody_is_acknowledged(mqtt, unique):
    """[MQTT-3.4.2-1] [MQTT-3.5.2-1]"""
    client = mqtt.connect()
    for qos in (1, 2):
        assert client.publish(unique("nobody"), b"x", qos).reason in (0, 0x10)


def test_a_packet_id_is_only_unused_once_its_handshake_is_over(mqtt, unique):
    """[MQTT-4.3.3-5] PUBREL may be repeated; the first PUBCOMP ends it."""
    client = mqtt.connect()
    client.send_publish(unique("t"), b"x", 2, packet_id=3)
    client.expect(PUBREC, packet_id=3)
    client.send_ack(PUBREL, 3)
    client.expect(PUBCOMP, packet_id=3, reason=0)
    client.send_ack(PUBREL, 3)
    client.expect(PUBCOMP, packet_id=3, reason=0x92)


def test_acknowledgements_come_in_the_order_of_the_messages(mqtt, unique):
    """[MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]"""
    client, topic = mqtt.connect(), unique("t")
    client.send(*[mp.publish(topic, b"", 1, packet_id=i) for i in range(1, 301)])
    for i in range(1, 301):
        client.expect(PUBACK, packet_id=i)
    client.send(*[mp.publish(topic, b"", 2, packet_id=i) for i in range(1, 301)])
    for i in range(1, 301):
        client.expect(PUBREC, packet_id=i)
    client.send(*[mp.ack(PUBREL, i) for i in range(1, 301)])
    for i in range(1, 301):
        client.expect(PUBCOMP, packet_id=i)


def test_acknowledgements_repeat_the_user_properties_of_a_request_only_when_told_to(mqtt, mqtt_with, unique):
    """[MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.7.2-3]"""
    pairs = [("b", "1"), ("a", "2"), ("b", "1")]
    repeating = mqtt_with("capabilities.compatibilities.no-inherited-properties-on-ack=false")
    for clients, expected in ((mqtt, None), (repeating, pairs)):
        client = clients.connect()
        for qos in (1, 2):
            answer = client.publish(unique("t"), b"x", qos, props={"user": pairs})
            assert answer.properties.get("user") == expected, answer
        assert client.subscribe(unique("t"), props={"user": pairs}).properties.get("user") == expected
        assert client.unsubscribe(unique("t"), props={"user": pairs}).properties.get("user") == expected


def test_a_publish_to_sys_topics_is_acknowledged_and_not_delivered(mqtt, unique):
    """[MQTT-3.3.4-1] [MQTT-4.3.2-4]"""
    topic = "$SYS/" + unique("t")
    client = mqtt.connect()
    client.subscribe(topic)
    for qos in (0, 1, 2):
        answer = client.publish(topic, b"x", qos)
        assert answer is None or answer.reason in (0, 0x10, 0x87, 0x90)
    client.expect_nothing()


def test_large_payloads_pass_unchanged(mqtt, unique):
    """[MQTT-4.2-1]"""
    topic = unique("t")
    watcher, client = mqtt.connect(), mqtt.connect()
    watcher.subscribe(topic, qos=1)
    for size in (0, 1, 127, 128, 16383, 16384, 65536, 1 << 20, 5_000_000):
        payload = bytes(i & 0xFF for i in range(251)) * (size // 251 + 1)
        client.publish(topic, payload[:size], 1)
        assert watcher.message(topic).payload == payload[:size]


def test_topic_names_and_payloads_pass_byte_by_byte(mqtt, unique):
    """[MQTT-4.7.3-4] [MQTT-1.5.4-3] [MQTT-3.3.2-3] No normalisation: composed and decomposed letters differ."""
    prefix = unique("t")
    odd = ["/", "//", "/x/", " ", "A", "a", "é", "e\u0301", "\ufeffbom", "a\ufeffb", "\U0001f600", "\u00a0", "a b",
           "$", "\ufffd", "%2f"]
    client = mqtt.connect()
    client.subscribe(prefix + "/#")
    for name in odd:
        client.send_publish(f"{prefix}/{name}", name.encode())
        client.message(f"{prefix}/{name}", name)
    client.subscribe(prefix + "2/\ufeffbom")
    client.send_publish(prefix + "2/bom", b"without")
    client.send_publish(prefix + "2/\ufeffbom", b"with")
    client.message(prefix + "2/\ufeffbom", b"with")
    client.expect_nothing()


def test_a_topic_of_65535_bytes_passes(mqtt):
    """[MQTT-4.7.3-3] [MQTT-4.7.3-1]"""
    client = mqtt.connect()
    for topic in ("x" * 65535, "y"):
        client.subscribe(topic)
        client.send_publish(topic, b"x")
        client.message(topic, b"x")
        client.unsubscribe(topic)
