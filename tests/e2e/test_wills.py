"""Will messages."""

import time

import pytest

import mqtt_packets as mp
from mqtt_packets import Will

VERSIONS = (3, 4, 5)
ALL = {"payload_format": 1, "message_expiry": 100, "content_type": "text/plain", "response_topic": "answer/here",
       "correlation_data": b"\x00\xff", "user": [("b", "1"), ("a", "2"), ("b", "1")]}


def _watch(mqtt, topic, version=5, **options):
    watcher = mqtt.connect(version=version)
    watcher.subscribe(topic, qos=2, **options)
    return watcher


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("end", ("drop", "reset", "malformed"))
def test_a_will_is_published_when_the_connection_ends_without_disconnect(mqtt, unique, version, end):
    """[MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT-3.1.2-10] Once."""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    client = mqtt.connect(unique("c"), version, will=Will(topic, b"gone", 1))
    if end == "malformed":
        client.send(b"\xf7\x00" if version == 5 else b"\xf0\x00")
    else:
        getattr(client, end)()
    watcher.message(topic, b"gone", qos=1, retain=False)
    watcher.expect_nothing(via=mqtt.connect())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_normal_disconnect_deletes_the_will(mqtt, unique, version):
    """[MQTT-3.14.4-3] [MQTT-3.1.2-8] [MQTT-3.1.2-10]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    mqtt.connect(unique("c"), version, will=Will(topic)).disconnect()
    watcher.expect_nothing(via=mqtt.connect())


@pytest.mark.parametrize("reason", (0x04, 0x80, 0x82, 0x98))
def test_a_disconnect_with_another_reason_publishes_the_will(mqtt, unique, reason):
    """[MQTT-3.1.2-8] [MQTT-3.14.4-3]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    mqtt.connect(unique("c"), will=Will(topic)).disconnect(reason)
    watcher.message(topic, b"gone")


@pytest.mark.parametrize("qos", (0, 1, 2))
@pytest.mark.parametrize("retain", (False, True))
def test_will_qos_and_will_retain_are_obeyed(mqtt, unique, qos, retain):
    """[MQTT-3.1.2-12] [MQTT-3.1.2-14] [MQTT-3.1.2-15]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic, rap=True)
    mqtt.connect(unique("c"), will=Will(topic, b"gone", qos, retain)).drop()
    watcher.message(topic, b"gone", qos=qos, retain=retain)
    late = _watch(mqtt, topic)
    if retain:
        late.message(topic, b"gone", qos=qos, retain=True)
    late.expect_nothing(via=mqtt.connect())


def test_an_empty_retained_will_removes_the_retained_message(mqtt, unique):
    """[MQTT-3.3.1-6] [MQTT-3.1.2-15]"""
    topic = unique("t")
    mqtt.connect().publish(topic, b"kept", 1, retain=True)
    watcher = _watch(mqtt, topic, retain_handling=2)
    mqtt.connect(unique("c"), will=Will(topic, b"", 1, True)).drop()
    watcher.message(topic, b"")
    _watch(mqtt, topic).expect_nothing()


def test_all_will_properties_reach_the_subscribers(mqtt, unique):
    """[MQTT-3.1.3-10] [MQTT-3.1.2-9] [MQTT-3.3.2-4] [MQTT-3.3.2-20]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    mqtt.connect(unique("c"), will=Will(topic, b"\x00\xff", 1, props=ALL)).drop()
    found = watcher.message(topic, b"\x00\xff").properties
    assert 98 <= found.pop("message_expiry") <= 100
    assert found == {k: v for k, v in ALL.items() if k != "message_expiry"}


def test_will_properties_do_not_disturb_a_3x_subscriber(mqtt, unique):
    """[MQTT-3.1.2-7]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic, version=4)
    mqtt.connect(unique("c"), will=Will(topic, b"gone", 1, props=ALL)).drop()
    watcher.message(topic, b"gone")


def test_a_will_delay_postpones_the_will(mqtt, unique):
    """[MQTT-3.1.2-8] [MQTT-3.1.2-7]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    client = mqtt.connect(unique("c"), props={"session_expiry": 60}, will=Will(topic, b"late", 1,
                                                                               props={"will_delay": 1}))
    start = time.monotonic()
    client.drop()
    watcher.expect_nothing(via=mqtt.connect())
    watcher.message(topic, b"late", timeout=4)
    assert 0.9 <= time.monotonic() - start <= 2.5


def test_the_end_of_the_session_publishes_a_delayed_will_at_once(mqtt, unique):
    """[MQTT-3.1.2-8] Expiry 0, and an expiry shorter than the delay."""
    for expiry, limit in ((0, 0.8), (1, 2.5)):
        topic = unique("t")
        watcher = _watch(mqtt, topic)
        client = mqtt.connect(unique("c"), props={"session_expiry": expiry},
                              will=Will(topic, b"gone", 1, props={"will_delay": 600}))
        start = time.monotonic()
        client.drop()
        watcher.message(topic, b"gone", timeout=4)
        assert time.monotonic() - start <= limit


def test_returning_before_the_delay_has_passed_deletes_the_will(mqtt, unique):
    """[MQTT-3.1.3-9] [MQTT-3.1.2-8] Another will with a delay of 1 s, made later, shows that the time has passed."""
    topic, marker, name = unique("t"), unique("t"), unique("c")
    watcher = _watch(mqtt, topic)
    watcher.subscribe(marker, qos=1)
    props = {"session_expiry": 60}
    client = mqtt.connect(name, props=props, will=Will(topic, b"no", 1, props={"will_delay": 1}))
    client.drop()
    again = mqtt.connect(name, clean=False, props=props)
    assert again.connack.session_present
    mqtt.connect(unique("c"), props=props, will=Will(marker, b"now", 1, props={"will_delay": 1})).drop()
    watcher.message(marker, b"now")
    watcher.expect_nothing(via=again)


def test_a_clean_start_ends_the_session_and_so_publishes_a_delayed_will(mqtt, unique):
    """[MQTT-3.1.2-8] [MQTT-3.1.2-4]"""
    topic, name = unique("t"), unique("c")
    watcher = _watch(mqtt, topic)
    mqtt.connect(name, props={"session_expiry": 60}, will=Will(topic, props={"will_delay": 600})).drop()
    assert mqtt.connect(name, clean=True).connack.session_present is False
    watcher.message(topic, b"gone")


def test_a_takeover_publishes_the_will_of_the_old_connection(mqtt, unique):
    """[MQTT-3.1.2-8] [MQTT-3.1.4-3] Without a delay it cannot be late; with one it is deleted."""
    topic, name = unique("t"), unique("c")
    watcher = _watch(mqtt, topic)
    props = {"session_expiry": 60}
    old = mqtt.connect(name, props=props, will=Will(topic, b"taken over"))
    new = mqtt.connect(name, clean=False, props=props, will=Will(topic, b"delayed", props={"will_delay": 600}))
    watcher.message(topic, b"taken over")
    old.expect_disconnect(0x8E)
    mqtt.connect(name, clean=False, props=props)
    new.expect_disconnect(0x8E)
    watcher.expect_nothing(via=mqtt.connect())


def test_a_will_of_a_former_connection_is_not_kept_for_the_next(mqtt, unique):
    """[MQTT-3.1.2-10]"""
    topic, name = unique("t"), unique("c")
    watcher = _watch(mqtt, topic)
    mqtt.connect(name, props={"session_expiry": 60}, will=Will(topic)).drop()
    watcher.message(topic)
    mqtt.connect(name, clean=False).drop()
    watcher.expect_nothing(via=mqtt.connect())


def test_a_will_reaches_offline_sessions_and_shared_groups(mqtt, unique):
    """[MQTT-4.5.0-1]"""
    topic, name = unique("t"), unique("c")
    sleeper = mqtt.connect(name, props={"session_expiry": 60})
    sleeper.subscribe(topic, qos=1)
    sleeper.disconnect()
    member = mqtt.connect()
    member.subscribe(f"$share/g/{topic}", qos=1)
    mqtt.connect(unique("c"), will=Will(topic, b"gone", 1)).drop()
    member.message(topic, b"gone")
    mqtt.connect(name, clean=False).message(topic, b"gone")


def test_a_keep_alive_timeout_publishes_the_will(mqtt, unique):
    """[MQTT-3.1.2-22] [MQTT-3.1.2-8]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    mqtt.connect(unique("c"), keep_alive=1, will=Will(topic))
    watcher.message(topic, b"gone", timeout=4)


def test_a_second_connect_publishes_the_will(mqtt, unique):
    """[MQTT-3.1.0-2] [MQTT-3.1.2-8]"""
    topic = unique("t")
    watcher = _watch(mqtt, topic)
    mqtt.connect(unique("c"), will=Will(topic)).send(mp.connect(unique("c")))
    watcher.message(topic, b"gone")


def test_a_will_cannot_be_published_to_the_servers_own_topics(mqtt, unique):
    """[4.7.2] As for any PUBLISH."""
    watcher = mqtt.connect()
    watcher.subscribe("$SYS/will/#")
    mqtt.connect(unique("c"), will=Will("$SYS/will/" + unique("t"), b"mine", 1, True)).drop()
    mqtt.connect(unique("c"), will=Will(unique("t"), b"fine")).drop()
    watcher.expect_nothing(via=mqtt.connect())
