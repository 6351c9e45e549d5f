"""What ends by the clock: messages and silent connections."""

import time

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBLISH, PUBREC, PUBREL, Will
from mqtt_wire import NothingCame

VERSIONS = (3, 4, 5)


def _one_second(mqtt, unique):
    """Waits on a socket for a will that the broker publishes 1 s from now, and a little longer to be sure."""
    topic, start = unique("t"), time.monotonic()
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    mqtt.connect(unique("c"), props={"session_expiry": 60}, will=Will(topic, props={"will_delay": 1})).drop()
    watcher.message(topic, timeout=4)
    while time.monotonic() - start < 1.05:
        watcher.ping()


def test_a_message_expiry_interval_reaches_subscribers_and_none_is_invented(mqtt, unique):
    """[MQTT-3.3.2-6]"""
    topic = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(topic, qos=1)
    for interval in (1, 1000, 0xFFFFFFFF):
        publisher.publish(topic, b"x", 1, props={"message_expiry": interval})
        assert client.message(topic).properties["message_expiry"] in (interval, interval - 1)
    publisher.publish(topic, b"x", 1)
    assert "message_expiry" not in client.message(topic).properties


def test_the_time_spent_waiting_is_subtracted(mqtt, unique):
    """[MQTT-3.3.2-6] For a queued and for a retained message."""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, qos=1)
    client.disconnect()
    mqtt.connect().publish(topic, b"x", 1, retain=True, props={"message_expiry": 100})
    _one_second(mqtt, unique)
    queued = mqtt.connect(name, clean=False).message(topic)
    late = mqtt.connect()
    late.subscribe(topic)
    for message in (queued, late.message(topic, retain=True)):
        assert 95 <= message.properties["message_expiry"] <= 99


def test_an_expired_message_is_not_delivered(mqtt, unique):
    """[MQTT-3.3.2-5] Queued for the offline, held back by Receive Maximum, or retained."""
    topic, name = unique("t"), unique("c")
    sleeper = mqtt.connect(name, props={"session_expiry": 60})
    sleeper.subscribe(topic, qos=2)
    sleeper.disconnect()
    busy = mqtt.connect(props={"receive_maximum": 1})
    busy.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    publisher.publish(topic, b"first", 1)
    for qos in (1, 2):
        publisher.publish(topic, b"short", qos, retain=True, props={"message_expiry": 1})
    publisher.publish(topic, b"last", 1, props={"message_expiry": 100})
    first = busy.unacknowledged_message(topic, b"first")
    _one_second(mqtt, unique)
    busy.send_ack(PUBACK, first.packet_id)
    busy.message(topic, b"last")
    again = mqtt.connect(name, clean=False)
    assert [m.payload for m in again.messages(2)] == [b"first", b"last"]
    again.expect_nothing()
    late = mqtt.connect()
    late.subscribe(topic)
    late.expect_nothing(via=publisher)


@pytest.mark.parametrize("policy", ("drop-oldest", "drop-newest", "refuse"))
def test_expired_messages_leave_their_room_to_others(mqtt_with, unique, policy):
    """[MQTT-3.3.2-5] 199 of 200 that may wait have expired: 100 others do not push out the one that has not."""
    mqtt = mqtt_with("capabilities.maximum-client-writes-pending=200", f"queue-policy={policy}")
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 3600})
    client.subscribe(topic, qos=1)
    client.disconnect()
    publisher = mqtt.connect()
    for number in range(200):
        publisher.publish(topic, b"stays" if number == 100 else b"expires", 1,
                          props={} if number == 100 else {"message_expiry": 1})
    _one_second(mqtt, unique)
    for _ in range(100):
        assert publisher.publish(topic, b"new", 1).reason == 0
    back = mqtt.connect(name, clean=False)
    assert [m.payload for m in back.messages(101)] == [b"stays"] + 100 * [b"new"]
    back.expect_nothing()


def test_a_message_already_sent_does_not_expire(mqtt, unique):
    """[MQTT-4.3.3-7] [MQTT-4.3.3-13] Both handshakes go on, and an unacknowledged PUBLISH is sent again."""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    publisher.send_publish(topic, b"1", 2, packet_id=5, props={"message_expiry": 1})
    publisher.expect(PUBREC, packet_id=5)
    publisher.send_ack(PUBREL, 5)
    publisher.expect(mp.PUBCOMP, packet_id=5)
    publisher.publish(topic, b"2", 2, props={"message_expiry": 1})
    one, two = client.unacknowledged_message(topic, b"1"), client.unacknowledged_message(topic, b"2")
    client.send_ack(PUBREC, one.packet_id)
    client.expect(PUBREL, packet_id=one.packet_id)
    _one_second(mqtt, unique)
    client.send_ack(mp.PUBCOMP, one.packet_id)
    client.expect_nothing()
    client.drop()
    again = mqtt.connect(name, clean=False)
    assert again.unacknowledged_message(topic, b"2", dup=True).packet_id == two.packet_id
    again.send_ack(PUBREC, two.packet_id)
    again.expect(PUBREL, packet_id=two.packet_id, reason=0)


def test_a_pubrel_after_the_expiry_of_an_inbound_message_is_answered(mqtt, unique):
    """[MQTT-4.3.3-13]"""
    client = mqtt.connect()
    client.send_publish(unique("t"), b"x", 2, packet_id=5, props={"message_expiry": 1})
    client.expect(PUBREC, packet_id=5)
    _one_second(mqtt, unique)
    client.send_ack(PUBREL, 5)
    client.expect(mp.PUBCOMP, packet_id=5, reason=0)


def test_the_servers_maximum_message_expiry_limits_how_long_a_message_waits(mqtt_with, unique):
    """[MQTT-3.3.2-5]"""
    mqtt = mqtt_with("capabilities.maximum-message-expiry-interval=1")
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, qos=1)
    client.disconnect()
    publisher = mqtt.connect()
    for props in ({}, {"message_expiry": 1000}):
        publisher.publish(topic, b"x", 1, props=props)
    _one_second(mqtt, unique)
    mqtt.connect(name, clean=False).expect_nothing(via=publisher)


@pytest.mark.parametrize("version", VERSIONS)
def test_silence_of_one_and_a_half_keep_alives_ends_the_connection(mqtt, unique, version):
    """[MQTT-3.1.2-22] [MQTT-3.2.2-22] 5.0 with DISCONNECT 0x8D."""
    client = mqtt.connect(unique("c"), version, keep_alive=1)
    assert "server_keep_alive" not in client.connack.properties
    start = time.monotonic()
    client.expect_disconnect(0x8D, timeout=4)
    assert 1.4 <= time.monotonic() - start <= 3


def test_any_packet_keeps_a_connection_alive(mqtt, unique):
    """[MQTT-3.1.2-22] [MQTT-3.12.4-1] [MQTT-3.1.2-20] PINGREQ, PUBLISH and acknowledgements alike."""
    topic = unique("t")
    client = mqtt.connect(unique("c"), keep_alive=1)
    client.subscribe(topic, qos=1)
    quiet = mqtt.connect(unique("c"), keep_alive=1)
    start = time.monotonic()
    client.ping()
    while time.monotonic() - start < 2.2:
        try:
            packet = client.read(0.4)
        except NothingCame:
            client.publish(topic, b"x", 1)
            continue
        assert packet.type == PUBLISH
        client.send_ack(PUBACK, packet.packet_id)
    quiet.expect_disconnect(0x8D)
    client.inbox.clear()
    client.ping()


def test_what_the_broker_sends_does_not_keep_a_silent_client_alive(mqtt, unique):
    """[MQTT-3.1.2-22]"""
    topic = unique("t")
    client, publisher = mqtt.connect(unique("c"), keep_alive=1), mqtt.connect()
    client.subscribe(topic)
    start = time.monotonic()
    while True:
        publisher.send_publish(topic, b"x")
        packet = client.read()
        if packet.type == mp.DISCONNECT:
            break
        assert time.monotonic() - start < 4
    assert packet.reason == 0x8D


@pytest.mark.parametrize("keep_alive", (0, 43691, 60000, 65535))
def test_long_and_no_keep_alives_do_not_wrap_around(mqtt, unique, keep_alive):
    """[MQTT-3.1.2-22] The arithmetic of 16 bits would end 43691 at once."""
    client = mqtt.connect(unique("c"), keep_alive=keep_alive)
    _one_second(mqtt, unique)
    client.ping()


@pytest.mark.parametrize("version", VERSIONS)
def test_each_pingreq_gets_one_pingresp(mqtt, version):
    """[MQTT-3.12.4-1]"""
    client = mqtt.connect(version=version)
    client.send(mp.pingreq() * 100)
    for _ in range(100):
        client.expect(mp.PINGRESP)
    client.expect_nothing()
