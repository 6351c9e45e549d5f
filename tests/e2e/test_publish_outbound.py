"""PUBLISH to a client: handshakes, repeated delivery, order, Receive Maximum."""

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL

VERSIONS = (3, 4, 5)
KEEP = {"session_expiry": 60}


def _persistent(mqtt, name, version=5, clean=False, **props):
    fields = {"props": {**KEEP, **props}} if version == 5 else {}
    return mqtt.connect(name, version, clean=clean, **fields)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("published", (0, 1, 2))
@pytest.mark.parametrize("granted", (0, 1, 2))
def test_the_delivered_qos_is_the_lower_of_published_and_granted(mqtt, unique, version, published, granted):
    """[MQTT-3.8.4-8] [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT-2.2.1-2] [MQTT-3.3.1-2]"""
    topic = unique("t")
    client = mqtt.connect(version=version)
    client.subscribe(topic, qos=granted)
    mqtt.connect().publish(topic, b"x", published)
    client.message(topic, b"x", qos=min(published, granted), dup=False)
    client.expect_nothing()


@pytest.mark.parametrize("qos", (1, 2))
def test_dup_of_a_publisher_is_not_passed_on(mqtt, unique, qos):
    """[MQTT-3.3.1-3] [MQTT-3.3.1-1]"""
    topic = unique("t")
    client = mqtt.connect()
    client.subscribe(topic, qos=2)
    mqtt.connect().publish(topic, b"x", qos, dup=True)
    client.message(topic, b"x", dup=False)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_resent_while_the_connection_lasts(mqtt, unique, version):
    """[MQTT-4.4.0-1] [MQTT-4.3.2-3]"""
    topic = unique("t")
    client = mqtt.connect(version=version)
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    publisher.publish(topic, b"1", 1)
    publisher.publish(topic, b"2", 2)
    first, second = client.unacknowledged_message(topic, b"1"), client.unacknowledged_message(topic, b"2")
    client.expect_nothing(via=publisher)
    client.send_ack(PUBREC, second.packet_id)
    client.expect(PUBREL, packet_id=second.packet_id, reason=0)
    client.expect_nothing(via=publisher)
    client.send_ack(PUBCOMP, second.packet_id)
    client.send_ack(PUBACK, first.packet_id)
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_unacknowledged_messages_come_again_in_order_with_dup_and_their_ids(mqtt, unique, version):
    """[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.6.0-1] [MQTT-3.1.2-5]"""
    topic, name = unique("t"), unique("c")
    client = _persistent(mqtt, name, version)
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    for i in range(20):
        publisher.publish(topic, b"%d" % i, 1 + i % 2)
    sent = [client.unacknowledged_message(topic) for _ in range(20)]
    for message in sent[4:8]:
        client.send_ack(PUBACK if message.qos == 1 else PUBREC, message.packet_id)
    client.ping()
    client.drop()
    released = {m.packet_id for m in sent[4:8] if m.qos == 2}
    expected = [(m.packet_id, m.payload) for m in sent if m not in sent[4:8]]
    again = mqtt.open(version)
    again.referee.resumed(released)
    connack = again.connect(name, clean=False, props=KEEP)
    assert connack.session_present or version == 3
    again.ping()
    publishes = [p for p in again.inbox if p.type == PUBLISH]
    assert [(p.packet_id, p.payload) for p in publishes] == expected
    assert all(p.dup for p in publishes)
    assert {p.packet_id for p in again.inbox if p.type == PUBREL} == released
    assert len(again.inbox) == len(publishes) + len(released)


def test_a_pubrel_is_repeated_after_a_reconnect_and_the_publish_is_not(mqtt, unique):
    """[MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1]"""
    topic, name = unique("t"), unique("c")
    client = _persistent(mqtt, name)
    client.subscribe(topic, qos=2)
    mqtt.connect().publish(topic, b"x", 2)
    message = client.unacknowledged_message(topic, b"x", qos=2)
    client.send_ack(PUBREC, message.packet_id)
    client.expect(PUBREL, packet_id=message.packet_id, reason=0)
    for _ in range(2):
        client.drop()
        client = mqtt.open()
        client.referee.resumed({message.packet_id})
        assert client.connect(name, clean=False, props=KEEP).session_present
        client.expect(PUBREL, packet_id=message.packet_id, reason=0)
        client.expect_nothing()
    client.send_ack(PUBCOMP, message.packet_id)
    client.disconnect()
    _persistent(mqtt, name).expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_for_an_offline_session_wait_in_order_and_are_no_duplicates(mqtt, unique, version):
    """[MQTT-4.5.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-5] [MQTT-3.1.2-23]"""
    topic, name = unique("t"), unique("c")
    client = _persistent(mqtt, name, version)
    client.subscribe(topic, qos=2)
    client.disconnect()
    publisher = mqtt.connect()
    for i in range(200):
        publisher.publish(topic, b"%d" % i, 1 + i % 2)
    again = _persistent(mqtt, name, version)
    got = again.messages(200)
    assert [m.payload for m in got] == [b"%d" % i for i in range(200)]
    assert not any(m.dup for m in got)
    again.expect_nothing(via=publisher)


@pytest.mark.parametrize("type_", (PUBACK, PUBREC))
def test_an_error_acknowledgement_ends_the_delivery(mqtt, unique, type_):
    """[MQTT-4.4.0-2] [MQTT-3.3.4-9] Not sent again, not elsewhere, and its place in the quota is free."""
    topic, name = unique("t"), unique("c")
    client = _persistent(mqtt, name, receive_maximum=1)
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    for i in range(5):
        publisher.publish(topic, b"%d" % i, 1 if type_ == PUBACK else 2)
    for i in range(5):
        message = client.unacknowledged_message(topic, b"%d" % i)
        client.send_ack(type_, message.packet_id, 0x83)
    client.expect_nothing()
    client.drop()
    _persistent(mqtt, name).expect_nothing()


@pytest.mark.parametrize("maximum", (1, 2, 7))
@pytest.mark.parametrize("qos", (1, 2))
def test_the_clients_receive_maximum_is_never_exceeded_and_delivery_goes_on(mqtt, unique, maximum, qos):
    """[MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1]"""
    topic, other = unique("t"), unique("t")
    client = mqtt.connect(props={"receive_maximum": maximum})
    client.subscribe(topic, qos=qos)
    client.subscribe(other, qos=0)
    publisher = mqtt.connect()
    for i in range(40):
        publisher.publish(topic, b"%d" % i, qos)
    first = [client.unacknowledged_message(topic, b"%d" % i) for i in range(maximum)]
    client.expect_nothing(via=publisher)
    publisher.send_publish(other, b"QoS 0 is not held back")
    client.message(other)
    client.subscribe(unique("t"))
    client.publish(unique("t"), b"x", 2)
    for message in first:
        client.send_ack(PUBACK if qos == 1 else PUBREC, message.packet_id)
        if qos == 2:
            client.wait_for(PUBREL, message.packet_id)
            client.send_ack(PUBCOMP, message.packet_id)
    assert [m.payload for m in _all(client, 40 - maximum)] == [b"%d" % i for i in range(maximum, 40)]
    client.expect_nothing(via=publisher)


def _all(client, count):
    """`count` messages, each handshake completed, whatever is interleaved."""
    return [_finish(client, client.wait_for(PUBLISH)) for _ in range(count)]


def _finish(client, message):
    if message.qos == 1:
        client.send_ack(PUBACK, message.packet_id)
    else:
        client.send_ack(PUBREC, message.packet_id)
        client.wait_for(PUBREL, message.packet_id)
        client.send_ack(PUBCOMP, message.packet_id)
    return message


def test_a_pubrec_does_not_free_the_quota_before_pubcomp(mqtt, unique):
    """[MQTT-3.3.4-9] [MQTT-4.9.0-2]"""
    topic = unique("t")
    client = mqtt.connect(props={"receive_maximum": 1})
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    publisher.publish(topic, b"1", 2)
    publisher.publish(topic, b"2", 2)
    message = client.unacknowledged_message(topic, b"1")
    client.send_ack(PUBREC, message.packet_id)
    client.expect(PUBREL, packet_id=message.packet_id)
    client.expect_nothing()
    client.send_ack(PUBCOMP, 999)
    client.expect_nothing()
    client.send_ack(PUBCOMP, message.packet_id)
    client.message(topic, b"2")


def test_receive_maximum_holds_for_a_resumed_session_too(mqtt, unique):
    """[MQTT-3.3.4-9] [MQTT-4.4.0-1]"""
    topic, name = unique("t"), unique("c")
    client = _persistent(mqtt, name)
    client.subscribe(topic, qos=1)
    publisher = mqtt.connect()
    for i in range(6):
        publisher.publish(topic, b"%d" % i, 1)
    for i in range(3):
        client.unacknowledged_message(topic, b"%d" % i)
    client.drop()
    again = _persistent(mqtt, name, receive_maximum=2)
    first = [again.unacknowledged_message(topic, b"%d" % i) for i in range(2)]
    again.expect_nothing(via=publisher)
    for message in first:
        again.send_ack(PUBACK, message.packet_id)
    assert [m.payload for m in again.messages(4)] == [b"2", b"3", b"4", b"5"]


def test_more_messages_than_packet_ids_are_all_delivered(mqtt, unique):
    """[MQTT-2.2.1-4] [MQTT-4.3.2-1] Ids are used again, never while in use (the referee watches)."""
    topic = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(topic, qos=1)
    held = None
    for start in range(0, 66_000, 1000):
        publisher.send(*[mp.publish(topic, b"%d" % i, 1, packet_id=i % 1000 + 1) for i in range(start, start + 1000)])
        for i in range(start, start + 1000):
            message = client.unacknowledged_message(topic, b"%d" % i)
            if held is None:
                held = message
                continue
            client.send_ack(PUBACK, message.packet_id)
        for _ in range(1000):
            publisher.expect(PUBACK)
    client.send_ack(PUBACK, held.packet_id)
    client.expect_nothing(via=publisher)


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_messages_of_one_publisher_arrive_in_order(mqtt, unique, qos):
    """[MQTT-4.6.0-5] [MQTT-4.6.0-6]"""
    prefix = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(prefix + "/+", qos=2)
    for i in range(300):
        publisher.send_publish(f"{prefix}/{i % 3}", b"%d" % i, qos)
    for i in range(1, 301 if qos == 2 else 1):
        publisher.expect(PUBREC, packet_id=i)
        publisher.send_ack(PUBREL, i)
    assert [m.payload for m in _drain(client, 300, qos)] == [b"%d" % i for i in range(300)]


def _drain(client, count, qos):
    return _all(client, count) if qos else client.messages(count)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos, before, wrong", [
    (1, (), PUBREC), (1, (), PUBCOMP), (2, (), PUBACK), (2, (), PUBCOMP), (2, (PUBREC,), PUBACK),
], ids=lambda value: "".join(mp.NAMES[t] for t in value) if isinstance(value, tuple) else
    mp.NAMES[value] if value > 3 else str(value))
def test_an_acknowledgement_that_does_not_fit_its_packet_id_is_a_protocol_error(mqtt, unique, version, qos, before, wrong):
    """[MQTT-4.13.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-4] The message is sent again: nothing acknowledged it."""
    topic, name = unique("t"), unique("c")
    client = _persistent(mqtt, name, version)
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    publisher.publish(topic, b"x", qos)
    message = client.unacknowledged_message(topic, b"x", qos=qos)
    for type_ in before:
        client.send_ack(type_, message.packet_id)
        client.expect(PUBREL, packet_id=message.packet_id)
    client.send(mp.ack(wrong, message.packet_id, version=version))
    client.expect_disconnect(0x82)
    again = mqtt.open(version)
    again.referee.resumed({message.packet_id} if before else ())
    again.connect(name, clean=False, **({"props": KEEP} if version == 5 else {}))
    if before:
        again.expect(PUBREL, packet_id=message.packet_id)
    else:
        again.unacknowledged_message(topic, b"x", qos=qos, dup=True, packet_id=message.packet_id)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_repeated_pubrec_is_answered_by_pubrel_again(mqtt, unique, version):
    """[MQTT-4.3.3-4]"""
    topic = unique("t")
    client = mqtt.connect(unique("c"), version)
    client.subscribe(topic, qos=2)
    mqtt.connect().publish(topic, b"x", 2)
    message = client.unacknowledged_message(topic, b"x", qos=2)
    for _ in range(3):
        client.send_ack(PUBREC, message.packet_id)
        assert client.expect(PUBREL, packet_id=message.packet_id).reason == 0
    client.send_ack(PUBCOMP, message.packet_id)
    client.send_ack(PUBCOMP, message.packet_id)  # unknown by now
    client.expect_nothing()
