"""Session state: how long it lives, who takes it over."""

import time

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBLISH, Will

VERSIONS = (3, 4, 5)
FOREVER = {"session_expiry": 0xFFFFFFFF}


def _session_exists(mqtt, name, version=5):
    """Connects without a clean start, and ends without keeping anything new."""
    client = mqtt.connect(name, version, clean=False, **({"props": FOREVER} if version == 5 else {}))
    present = client.connack.session_present
    client.drop()
    return present


@pytest.mark.parametrize("version", (4, 5))
def test_session_present_tells_whether_there_was_a_session(mqtt, unique, version):
    """[MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.4-4] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.2-23]"""
    name, topic = unique("c"), unique("t")
    fields = {"props": FOREVER} if version == 5 else {}
    first = mqtt.connect(name, version, clean=False, **fields)
    assert not first.connack.session_present
    first.subscribe(topic, qos=1)
    first.drop()
    second = mqtt.connect(name, version, clean=False, **fields)
    assert second.connack.session_present
    second.publish(topic, b"still subscribed", 1)
    second.message(topic)
    second.drop()
    third = mqtt.connect(name, version, clean=True, **fields)
    assert not third.connack.session_present
    third.publish(topic, b"forgotten", 1)
    third.expect_nothing()


def test_a_31_session_is_kept_without_saying_so(mqtt, unique):
    """[MQTT-3.1.2-5] [MQTT-3.2.2-1] The flags byte of a 3.1 CONNACK is reserved."""
    name, topic = unique("c"), unique("t")
    client = mqtt.connect(name, 3, clean=False)
    client.subscribe(topic, qos=1)
    client.disconnect()
    mqtt.connect().publish(topic, b"x", 1)
    again = mqtt.connect(name, 3, clean=False)
    assert again.connack.session_present is False
    again.message(topic, b"x")


@pytest.mark.parametrize("version, fields", [(3, {"clean": True}), (4, {"clean": True}), (5, {}),
                                             (5, {"props": {"session_expiry": 0}})])
def test_a_session_without_expiry_ends_with_its_connection(mqtt, unique, version, fields):
    """[MQTT-4.1.0-2]"""
    name = unique("c")
    client = mqtt.connect(name, version, **fields)
    client.subscribe(unique("t"))
    client.disconnect()
    assert not _session_exists(mqtt, name)


def test_a_session_lasts_as_long_as_its_connection(mqtt, unique):
    """[MQTT-4.1.0-1] Expiry 0 does not end it while the client is there."""
    topic = unique("t")
    client = mqtt.connect(unique("c"), props={"session_expiry": 0})
    client.subscribe(topic, qos=1)
    for i in range(3):
        client.publish(topic, b"%d" % i, 1)
        client.message(topic, b"%d" % i)


def test_a_session_ends_when_its_expiry_interval_has_passed(mqtt, unique):
    """[MQTT-4.1.0-2] [MQTT-3.1.2-23] A delayed will of the session fires at its end and so tells the time."""
    name, topic = unique("c"), unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    client = mqtt.connect(name, props={"session_expiry": 1}, will=Will(topic, b"over", props={"will_delay": 600}))
    client.drop()
    start = time.monotonic()
    watcher.message(topic, b"over", timeout=4)
    assert time.monotonic() - start >= 0.9
    assert not _session_exists(mqtt, name)


def test_an_expired_session_receives_nothing_more(mqtt, unique):
    """[MQTT-4.1.0-2]"""
    name, topic, end = unique("c"), unique("t"), unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(end)
    client = mqtt.connect(name, props={"session_expiry": 1}, will=Will(end, props={"will_delay": 600}))
    client.subscribe(topic, qos=1)
    client.drop()
    publisher = mqtt.connect()
    publisher.publish(topic, b"in time", 1)
    watcher.message(end, timeout=4)
    assert publisher.publish(topic, b"too late", 1).reason in (0, 0x10)
    mqtt.connect(name, clean=False).expect_nothing(via=publisher)


def test_disconnect_can_lengthen_shorten_and_end_a_session(mqtt, unique):
    """[MQTT-3.1.2-23] [MQTT-4.1.0-2]"""
    name = unique("c")
    mqtt.connect(name, props={"session_expiry": 1}).disconnect(0, FOREVER)
    assert _session_exists(mqtt, name)
    client = mqtt.connect(name, clean=False, props=FOREVER)
    client.disconnect(0, {"session_expiry": 0})
    assert not _session_exists(mqtt, name)


def test_disconnect_may_not_turn_expiry_0_into_something_else(mqtt, unique):
    """[MQTT-4.13.1-1] [MQTT-3.14.2-2] The will is published: this was no normal end."""
    topic, name = unique("t"), unique("c")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    client = mqtt.connect(name, will=Will(topic))
    client.send(mp.disconnect(0, {"session_expiry": 60}))
    client.expect_disconnect(0x82)
    watcher.message(topic)
    assert not _session_exists(mqtt, name)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_3x_session_survives_unless_it_is_clean(mqtt, unique, version):
    """[MQTT-3.1.2-4] [MQTT-3.1.2-23] Also from one protocol version to another."""
    name, topic = unique("c"), unique("t")
    client = mqtt.connect(name, 4, clean=False)
    client.subscribe(topic, qos=1)
    client.disconnect()
    mqtt.connect().publish(topic, b"x", 1)
    again = mqtt.connect(name, version, clean=False)
    again.message(topic, b"x", qos=1)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_takeover_sends_disconnect_0x8e_to_the_old_connection(mqtt, unique, version):
    """[MQTT-3.1.4-3] [MQTT-3.1.3-2] A 3.x client is only closed."""
    name, topic = unique("c"), unique("t")
    fields = {"props": FOREVER} if version == 5 else {}
    old = mqtt.connect(name, version, clean=False, **fields)
    old.subscribe(topic, qos=1)
    new = mqtt.connect(name, version, clean=False, **fields)
    old.expect_disconnect(0x8E)
    new.publish(topic, b"mine now", 1)
    new.message(topic, b"mine now")


def test_a_clean_takeover_starts_anew(mqtt, unique):
    """[MQTT-3.1.4-3] [MQTT-3.1.2-4]"""
    name, topic = unique("c"), unique("t")
    old = mqtt.connect(name, props=FOREVER)
    old.subscribe(topic)
    new = mqtt.connect(name, clean=True)
    old.expect_disconnect(0x8E)
    assert not new.connack.session_present
    new.publish(topic, b"x", 1)
    new.expect_nothing()


def test_many_takeovers_at_once_leave_exactly_one_connection(mqtt, unique):
    """[MQTT-3.1.4-3]"""
    name = unique("c")
    clients = [mqtt.open() for _ in range(30)]
    for client in clients:
        client.send(mp.connect(name, clean=False, props=FOREVER))
    for client in clients:
        client.expect(mp.CONNACK, reason=0)
    survivors = 0
    for client in clients:
        try:
            client.send(mp.pingreq())
        except ConnectionError:
            continue
        packet = client.next()
        assert packet.type == mp.PINGRESP or packet.reason == 0x8E, packet
        survivors += packet.type == mp.PINGRESP
    assert survivors == 1


@pytest.mark.alone
def test_a_takeover_of_a_connection_that_does_not_read_is_quick(mqtt, unique):
    """[MQTT-3.1.4-3]"""
    name, topic = unique("c"), unique("t")
    stuck = mqtt.connect(name, receive_buffer=4096)
    stuck.subscribe(topic)
    publisher = mqtt.connect()
    for _ in range(8):
        publisher.send_publish(topic, b"x" * 100_000)
    start = time.monotonic()
    new = mqtt.connect(name, clean=True)
    assert time.monotonic() - start < 2
    new.ping()


def test_what_was_in_flight_moves_to_the_new_connection(mqtt, unique):
    """[MQTT-3.1.2-5] [MQTT-4.4.0-1]"""
    name, topic = unique("c"), unique("t")
    old = mqtt.connect(name, props=FOREVER)
    old.subscribe(topic, qos=1)
    mqtt.connect().publish(topic, b"x", 1)
    message = old.unacknowledged_message(topic, b"x")
    new = mqtt.connect(name, clean=False, props=FOREVER)
    new.message(topic, b"x", dup=True, packet_id=message.packet_id)
    new.expect_nothing()


def test_a_takeover_can_change_the_protocol_version(mqtt, unique):
    """[MQTT-3.1.4-3] The messages that wait take the form of the new connection."""
    name, topic = unique("c"), unique("t")
    client = mqtt.connect(name, 5, props=FOREVER)
    client.subscribe(topic, qos=1, props={"subscription_id": 3})
    mqtt.connect().publish(topic, b"x", 1, props={"content_type": "text/plain"})
    assert client.unacknowledged_message(topic).properties["subscription_id"] == [3]
    old_style = mqtt.connect(name, 4, clean=False)
    assert old_style.connack.session_present
    old_style.unacknowledged_message(topic, b"x", dup=True)
    modern = mqtt.connect(name, 5, clean=False, props=FOREVER)
    old_style.expect_closed()
    message = modern.message(topic, b"x", dup=True)
    assert message.properties["content_type"] == "text/plain"


def test_qos_0_messages_are_not_kept_for_the_offline(mqtt, unique):
    """[MQTT-4.5.0-1] The specification leaves it to the server; this one keeps QoS 1 and 2 only."""
    name, topic = unique("c"), unique("t")
    client = mqtt.connect(name, props=FOREVER)
    client.subscribe(topic, qos=1)
    client.drop()
    publisher = mqtt.connect()
    publisher.publish(topic, b"0", 0)
    publisher.publish(topic, b"1", 1)
    again = mqtt.connect(name, clean=False)
    while (message := again.message(topic)).payload != b"1":
        assert message.type == PUBLISH and message.qos == 0
    again.expect_nothing()


def test_sessions_of_different_clients_do_not_mix(mqtt, unique):
    """[MQTT-3.1.3-2] Ids differ by case and by length."""
    name, topic = unique("c"), unique("t")
    names = [name, name.upper(), name + "x", name[:-1] + "é"]
    clients = [mqtt.connect(each, props=FOREVER) for each in names]
    for i, client in enumerate(clients):
        client.subscribe(f"{topic}/{i}")
    for i, client in enumerate(clients):
        client.publish(f"{topic}/{i}", b"%d" % i, 1)
        client.message(f"{topic}/{i}", b"%d" % i)
        client.expect_nothing()
