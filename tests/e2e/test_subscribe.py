"""SUBSCRIBE, UNSUBSCRIBE and which subscription matches what."""

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBREC, PUBREL, SUBACK, UNSUBACK

VERSIONS = (3, 4, 5)

MATCHES = [
    # filter, topics that match, topics that do not (each with a unique first part in front)
    ("/a", ["/a"], ["/A", "/a/", "/a/b", "//a", ""]),
    ("/+", ["/a", "/", "/ "], ["", "/a/b", "//"]),
    ("/#", ["", "/", "/a", "/a/b", "//"], ["x"]),
    ("/a/#", ["/a", "/a/", "/a/b", "/a/b/c"], ["/ab", "/b", ""]),
    ("/+/b", ["/a/b", "//b"], ["/b", "/a/c", "/a/b/c", "/a/a/b"]),
    ("/+/#", ["/a", "/", "/a/b", "//"], [""]),
    ("/+/+", ["/a/b", "//"], ["/a", "/a/b/c"]),
    ("/a/+/c/#", ["/a/b/c", "/a/b/c/d", "/a//c/"], ["/a/b", "/a/c", "/a/b/d"]),
    ("/é", ["/é"], ["/e\u0301", "/É"]),
    ("/$x/#", ["/$x", "/$x/a"], ["/x"]),
]
INVALID = ["a#", "a/#/b", "#/a", "a/b#", "a+", "+a", "a+/b", "a/+b", "a/b+/c", "##", "++", "a/##", "#+", "/#a"]
INVALID_SHARES = ["$share/", "$share/g", "$share/g/", "$share//t", "$share/+/t", "$share/#/t",
                  "$share/g+/t", "$share/#", "$share/g/a#", "$share/g/a/#/b"]


@pytest.mark.parametrize("filter_, yes, no", MATCHES, ids=[row[0] for row in MATCHES])
def test_a_filter_matches_exactly_its_topics(mqtt, unique, filter_, yes, no):
    """[MQTT-3.3.2-3] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-4]"""
    prefix = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(prefix + filter_)
    for tail in yes + no:
        publisher.send_publish(prefix + tail, tail.encode())
    assert [m.topic for m in client.messages(len(yes))] == [prefix + tail for tail in yes]
    client.expect_nothing(via=publisher)


def test_leading_wildcards_match_any_first_level(mqtt, unique):
    """[MQTT-4.7.1-1] [MQTT-4.7.1-2]"""
    name = unique("t")
    for filter_, yes, no in (("+/" + name, "a/" + name, name), ("+/+/" + name, "//" + name, "/" + name),
                             (name + "/+/#", name + "/", name), ("/" + name, "/" + name, name)):
        client = mqtt.connect()
        client.subscribe(filter_)
        client.send_publish(no, b"no")
        client.send_publish(yes, b"yes")
        client.message(yes, b"yes")
        client.expect_nothing()


def test_hash_and_plus_hash_match_topics_of_one_level(mqtt, unique):
    """[MQTT-4.7.1-1] [MQTT-4.7.1-2]"""
    for filter_ in ("#", "+/#", "+"):
        topic = unique("t")
        client = mqtt.connect()
        client.subscribe(filter_, retain_handling=2)
        mqtt.connect().publish(topic, b"x", 1)
        while client.message().topic != topic:
            pass  # messages of tests that run beside this one
        client.drop()


def test_topics_that_begin_with_a_dollar_need_a_filter_that_does(mqtt, unique):
    """[MQTT-4.7.2-1]"""
    name = unique("t")
    topic = "$" + name + "/x"
    blind, seeing, publisher = mqtt.connect(), mqtt.connect(), mqtt.connect()
    blind.subscribe(f"+/{name}", "+/x", "+/x/#", retain_handling=2)
    seeing.subscribe(f"${name}/+")
    publisher.send_publish(topic, b"hidden")
    seeing.message(topic, b"hidden")
    blind.expect_nothing(via=publisher)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("filter_", INVALID)
def test_invalid_filters_are_refused_one_by_one(mqtt, unique, version, filter_):
    """[MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-2]"""
    client = mqtt.connect(version=version)
    good = unique("t")
    client.subscribe(good, filter_, good, qos=1, expect=[1, 0x8F if version == 5 else 0x80, 1])
    client.publish(good, b"x", 1)
    client.message(good, b"x")


@pytest.mark.parametrize("filter_", INVALID_SHARES)
def test_odd_shares_are_invalid_filters(mqtt, filter_):
    """[MQTT-4.8.2-1] [MQTT-4.8.2-2]"""
    mqtt.connect().subscribe(filter_, expect=[0x8F])


def test_share_in_other_letters_is_an_ordinary_filter(mqtt, unique):
    """[MQTT-4.8.2-1] [MQTT-4.7.3-4]"""
    client, topic = mqtt.connect(), unique("t")
    client.subscribe(f"$SHARE/g/{topic}", f"$Share/g/{topic}", f"$shared/{topic}", "$share")
    publisher = mqtt.connect()
    publisher.publish(topic, b"not for these", 1)
    publisher.send_publish(f"$shared/{topic}", b"x")
    client.message(f"$shared/{topic}", b"x")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_suback_answers_each_filter_in_order_with_the_requests_packet_id(mqtt, unique, version):
    """[MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-2.2.1-6] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1]
    [MQTT-3.9.3-2]"""
    client, t = mqtt.connect(version=version), unique("t")
    client.send(mp.subscribe(65535, [(t + "/2", 2), (t + "/0", 0), (t + "/#/", 1), (t + "/1", 1)], version=version))
    client.expect(SUBACK, packet_id=65535, reasons=[2, 0, 0x8F if version == 5 else 0x80, 1])


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unsuback_answers_each_filter_in_order(mqtt, unique, version):
    """[MQTT-3.10.4-1] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6]"""
    client, t = mqtt.connect(version=version), unique("t")
    client.subscribe(t + "/+", t + "/a", t + "/#")
    client.send(mp.unsubscribe(65535, [t + "/b", t + "/+", t + "/+", t + "/A", t + "/a"], version=version))
    client.expect(UNSUBACK, packet_id=65535, reasons=[0x11, 0, 0x11, 0x11, 0] if version == 5 else [])
    client.send_publish(t + "/a", b"x")
    client.message(t + "/a", b"x")
    client.expect_nothing()


def test_unsubscribe_says_nothing_about_subscriptions_of_others(mqtt, unique):
    """[MQTT-3.10.4-1] [MQTT-3.11.3-2]"""
    topic = unique("t")
    one, other = mqtt.connect(), mqtt.connect()
    one.subscribe(topic, f"$share/g/{topic}/s")
    assert other.unsubscribe(topic, f"$share/g/{topic}/s", f"{topic}/s").reasons == [0x11] * 3
    assert one.unsubscribe(topic, f"$share/h/{topic}/s", f"$share/g/{topic}/s").reasons == [0, 0x11, 0]


def test_messages_stop_after_unsubscribe_and_started_ones_are_completed(mqtt, unique):
    """[MQTT-3.10.4-2] [MQTT-3.10.4-3]"""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, qos=2)
    publisher = mqtt.connect()
    publisher.publish(topic, b"1", 1)
    publisher.publish(topic, b"2", 2)
    one, two = client.unacknowledged_message(topic, b"1"), client.unacknowledged_message(topic, b"2")
    client.unsubscribe(topic)
    publisher.publish(topic, b"3", 1)
    client.expect_nothing(via=publisher)
    client.send_ack(PUBREC, two.packet_id)
    client.expect(PUBREL, packet_id=two.packet_id, reason=0)
    client.drop()
    again = mqtt.open()
    again.referee.resumed({two.packet_id})
    again.connect(name, clean=False)
    resent = [again.next(), again.next()]
    assert {p.type for p in resent} == {mp.PUBLISH, PUBREL}
    assert {p.packet_id for p in resent} == {one.packet_id, two.packet_id}
    again.send_ack(PUBACK, one.packet_id)
    again.send_ack(mp.PUBCOMP, two.packet_id)
    again.expect_nothing(via=publisher)


def test_subscribing_again_replaces_the_options_and_loses_nothing(mqtt, unique):
    """[MQTT-3.8.4-3] [MQTT-3.8.4-4]"""
    topic = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(topic, qos=0, rap=True, props={"subscription_id": 1})
    publisher.publish(topic, b"a", 1, retain=True)
    first = client.message(topic, b"a", qos=0, retain=True)
    assert first.properties["subscription_id"] == [1]
    for i in range(100):
        publisher.send_publish(topic, b"%d" % i, 1)
        if i == 50:
            client.subscribe(topic, qos=1, retain_handling=2)
    got = client.messages(100)
    assert [m.payload for m in got] == [b"%d" % i for i in range(100)]
    assert got[-1].qos == 1 and "subscription_id" not in got[-1].properties
    assert client.unsubscribe(topic).reasons == [0]
    publisher.publish(topic, b"late", 1)
    client.expect_nothing(via=publisher)


def test_overlapping_subscriptions_deliver_once_with_the_highest_qos_and_all_identifiers(mqtt, unique):
    """[MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4] [MQTT-3.3.4-5] One copy, or one per subscription: both are legal."""
    t = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(t + "/a", qos=0, props={"subscription_id": 1})
    client.subscribe(t + "/+", qos=2, props={"subscription_id": 268435455})
    client.subscribe(t + "/#", qos=1)
    client.subscribe(f"{t}/a/#", qos=1, props={"subscription_id": 128})
    publisher.publish(t + "/a", b"x", 2)
    message = client.message(t + "/a", b"x", qos=2)
    assert sorted(message.properties["subscription_id"]) == [1, 128, 268435455]
    client.expect_nothing(via=publisher)


@pytest.mark.parametrize("version", VERSIONS)
def test_overlapping_subscriptions_of_any_version_use_the_highest_qos(mqtt, unique, version):
    """[MQTT-3.3.4-2]"""
    t = unique("t")
    client = mqtt.connect(version=version)
    client.subscribe(t + "/#", qos=1)
    client.subscribe(t + "/a", qos=0)
    client.publish(t + "/a", b"x", 2)
    client.message(t + "/a", b"x", qos=1)
    client.expect_nothing()


def test_a_subscription_identifier_goes_only_where_it_belongs(mqtt, unique):
    """[MQTT-3.3.4-3] Not to other clients, and not to 3.x ones."""
    topic = unique("t")
    a, b, old = mqtt.connect(), mqtt.connect(), mqtt.connect(version=4)
    a.subscribe(topic, props={"subscription_id": 7})
    b.subscribe(topic, props={"subscription_id": 8})
    old.subscribe(topic)
    mqtt.connect().send_publish(topic, b"x")
    assert a.message(topic).properties["subscription_id"] == [7]
    assert b.message(topic).properties["subscription_id"] == [8]
    old.message(topic, b"x")


def test_a_publish_with_a_subscription_identifier_is_a_protocol_error(mqtt, unique):
    """[MQTT-3.3.4-6]"""
    client = mqtt.connect()
    client.send_publish(unique("t"), b"x", props={"subscription_id": 1})
    client.expect_disconnect(0x82, 0x81)


def test_no_local_keeps_a_clients_own_messages_from_it(mqtt, unique):
    """[MQTT-3.8.3-3]"""
    topic = unique("t")
    client, other = mqtt.connect(), mqtt.connect()
    client.subscribe(topic, no_local=True, qos=1)
    client.publish(topic, b"own", 1)
    other.publish(topic, b"foreign", 1)
    client.message(topic, b"foreign")
    client.expect_nothing(via=other)


def test_no_local_of_one_subscription_does_not_silence_another(mqtt, unique):
    """[MQTT-3.8.3-3] [MQTT-3.3.4-2]"""
    t = unique("t")
    client = mqtt.connect()
    client.subscribe(t + "/a", no_local=True, qos=1, props={"subscription_id": 1})
    client.subscribe(t + "/+", qos=1, props={"subscription_id": 2})
    client.publish(t + "/a", b"own", 1)
    assert client.message(t + "/a", b"own").properties["subscription_id"] == [2]
    client.expect_nothing()


def test_no_local_goes_by_client_id_also_after_a_reconnect(mqtt, unique):
    """[MQTT-3.8.3-3] [MQTT-3.1.3-2]"""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name, props={"session_expiry": 60})
    client.subscribe(topic, no_local=True, qos=1)
    client.drop()
    again = mqtt.connect(name, clean=False)
    again.publish(topic, b"own", 1)
    again.expect_nothing(via=mqtt.connect())


def test_retain_as_published_of_overlapping_subscriptions_is_not_arbitrary(mqtt, unique):
    """[MQTT-3.3.1-13] A copy for a subscription that keeps the flag keeps it, whichever came first."""
    for keeping_first in (True, False):
        t = unique("t")
        client = mqtt.connect()
        client.subscribe(t + "/a", rap=keeping_first)
        client.subscribe(t + "/+", rap=not keeping_first)
        mqtt.connect().publish(t + "/a", b"x", 1, retain=True)
        client.message(t + "/a", b"x", retain=True)


@pytest.mark.parametrize("options", (3, 7, 0x30, 0x40, 0x80, 0xC0, 0xFF))
def test_reserved_subscription_options_are_malformed(mqtt, unique, options):
    """[MQTT-3.8.3-5]"""
    client = mqtt.connect()
    client.send(mp.subscribe(1, [(unique("t"), options)]))
    client.expect_disconnect(0x81, 0x82)


@pytest.mark.parametrize("version", (3, 4))
@pytest.mark.parametrize("options", (3, 4, 0x10, 0x80))
def test_reserved_bits_of_the_requested_qos_end_a_3x_connection(mqtt, unique, version, options):
    """[MQTT-3.8.3-5]"""
    client = mqtt.connect(version=version)
    client.send(mp.subscribe(1, [(unique("t"), options)], version=version))
    client.expect_disconnect()


def test_many_filters_in_one_packet(mqtt, unique):
    """[MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.10.4-6] [MQTT-3.11.3-1]"""
    t, client = unique("t"), mqtt.connect()
    filters = [f"{t}/{i}" for i in range(5000)]
    client.send(mp.subscribe(1, [(f, i % 3) for i, f in enumerate(filters)]))
    assert client.expect(SUBACK).reasons == [i % 3 for i in range(5000)]
    client.send_publish(filters[4321], b"x")
    client.message(filters[4321])
    assert client.unsubscribe(*filters[::-1], "no").reasons == [0] * 5000 + [0x11]
