"""Bytes that are no MQTT: each gets its reason, the connection ends, and nobody else notices."""

import pytest

import mqtt_packets as mp
from mqtt_packets import CONNACK, Malformed, Will
from mqtt_wire import Closed

VERSIONS = (3, 4, 5)
USER = {"user": [("k", "v")]}


@pytest.fixture
def neighbour(mqtt, unique):
    """Another client, which must be unharmed at the end of the test."""
    client, topic = mqtt.connect(), unique("t")
    client.subscribe(topic, qos=1)
    yield client
    client.publish(topic, b"unharmed", 1)
    client.message(topic, b"unharmed")
    client.expect_nothing()


def _samples(version):
    """One full example of each packet that a client may send."""
    five = version == 5
    props = USER if five else ()
    will = Will("w", b"p", 1, False, {"content_type": "c"})
    packets = {
        "CONNECT": mp.connect("client", version, username="u", password="p", will=will,
                              props={"session_expiry": 5, "user": [("k", "v")]}),
        "PUBLISH": mp.publish("topic", b"", 1, packet_id=1, props=props, version=version),
        "PUBACK": mp.ack(mp.PUBACK, 1, 0x10 if five else 0, props, version),
        "PUBREC": mp.ack(mp.PUBREC, 1, 0x10 if five else 0, props, version),
        "PUBREL": mp.ack(mp.PUBREL, 1, 0x92 if five else 0, props, version),
        "PUBCOMP": mp.ack(mp.PUBCOMP, 1, 0x92 if five else 0, props, version),
        "SUBSCRIBE": mp.subscribe(1, [("a/b", 1), ("c", 0)], {"subscription_id": 200} if five else (), version),
        "UNSUBSCRIBE": mp.unsubscribe(1, ["a/b", "c"], props, version),
        "DISCONNECT": mp.disconnect(4, {"session_expiry": 1, "reason_string": "r"} if five else None, version),
    }
    if five:
        packets["AUTH"] = mp.auth(0x19, {"auth_method": "m", "auth_data": b"d"})
    return packets


def _cuts(packet, version):
    """The packet with its body cut at each byte and the length put right, where that is not legal by chance."""
    head = 2 if packet[1] < 0x80 else 3
    body = packet[head:]
    for length in range(len(body)):
        cut = mp.frame(packet[0] >> 4, body[:length], packet[0] & 15)
        try:
            mp.parse(cut, version, from_server=False)
        except Malformed:
            yield cut


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", list(_samples(5)))
def test_a_packet_cut_at_any_byte_is_malformed(mqtt, neighbour, unique, version, name):
    """[MQTT-3.1.4-1] [MQTT-4.13.1-1] [MQTT-3.14.1-1] [MQTT-4.13.2-1]"""
    if name not in _samples(version):
        return
    for cut in _cuts(_samples(version)[name], version):
        client = mqtt.open(version)
        if name == "CONNECT":
            client.send(cut)
            _refused(client, cut)
        else:
            client.connect(unique("c"))
            client.send(cut)
            try:
                client.expect_disconnect(0x81, 0x82)
            except (AssertionError, ConnectionError) as error:
                raise AssertionError(f"{cut.hex()}: {error!r}") from error
        client.drop()


def _refused(client, sent):
    try:
        packet = client.next()
    except Closed:
        readable = client.version == 5 and len(sent) >= 2 + 7
        assert not readable, f"{sent.hex()}: closed without CONNACK although the version could be read"
        return
    assert packet.type == CONNACK and packet.reason, f"{sent.hex()}: {packet}"
    client.expect_closed()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stream_cut_at_any_byte_does_no_harm(mqtt, neighbour, unique, version):
    """[MQTT-4.2-1] The rest never comes: the connection just ends."""
    for name, packet in _samples(version).items():
        for length in range(len(packet)):
            client = mqtt.open(version)
            if name != "CONNECT":
                client.connect(unique("c"))
            client.send(packet[:length])
            client.drop()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", list(_samples(5)))
def test_trailing_bytes_make_a_packet_malformed(mqtt, neighbour, unique, version, name):
    """[MQTT-3.1.4-1] [MQTT-4.13.1-1]"""
    packet = _samples(version).get(name)
    if packet is None or name in ("PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE"):
        return  # more payload, or a third filter cut short: covered by the cuts
    longer = mp.frame(packet[0] >> 4, packet[2:] + b"\x7f", packet[0] & 15)
    client = mqtt.open(version)
    if name == "CONNECT":
        client.send(longer)
        _refused(client, longer)
    else:
        client.connect(unique("c"))
        client.send(longer)
        client.expect_disconnect(0x81, 0x82)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("type_", [t for t in range(1, 16) if t != mp.PUBLISH])
def test_wrong_flags_of_the_fixed_header_are_malformed(mqtt, neighbour, unique, version, type_):
    """[MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1]"""
    packets = {**_samples(version), "PINGREQ": mp.pingreq()}
    packet = packets.get(mp.NAMES[type_], mp.frame(type_, b"\0\1"))
    right = {mp.FIXED_FLAGS.get(type_, 0)}
    if version == 3 and right == {2}:
        right.add(10)  # 3.1 has DUP on these packets
    for flags in {0, 1, 2, 3, 4, 8, 10, 15} - right:
        client = mqtt.open(version)
        if type_ == mp.CONNECT:
            client.send(bytes([type_ << 4 | flags]) + packet[1:])
            _refused(client, b"")
        else:
            client.connect(unique("c"))
            client.send(bytes([type_ << 4 | flags]) + packet[1:])
            client.expect_disconnect(0x81, 0x82)
        client.drop()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("type_", (0, mp.CONNACK, mp.SUBACK, mp.UNSUBACK, mp.PINGRESP, mp.AUTH))
def test_packets_that_only_a_server_sends_end_the_connection(mqtt, neighbour, unique, version, type_):
    """[MQTT-4.13.1-1] AUTH: without an Authentication Method, or in 3.x at all."""
    for body in (b"", b"\0\1\0", b"\0\0"):
        client = mqtt.connect(unique("c"), version)
        client.send(mp.frame(type_, body, 0))
        client.expect_disconnect(0x81, 0x82, 0x8C)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("length", (b"\xff\xff\xff\xff", b"\x80\x80\x80\x80\x01", b"\x80\x80\x80\x80\x00",
                                    b"\xff\xff\xff\xff\x7f"))
def test_a_remaining_length_of_five_bytes_is_malformed_at_once(mqtt, neighbour, unique, version, length):
    """[MQTT-1.5.5-1] [MQTT-4.13.1-1] Also as the very first packet."""
    client = mqtt.connect(unique("c"), version)
    client.send(b"\x30" + length)
    client.expect_disconnect(0x81, 0x82)
    first = mqtt.open(version)
    first.send(b"\x10" + length)
    _refused(first, b"")


@pytest.mark.parametrize("packet", (b"\xc0\x80\x00", b"\xc0\x80\x80\x00", b"\x30\x85\x00\x00\x01t\x00x",
                                    b"\x30\x06\x00\x01t\x80\x00x", b"\x82\x8a\x00\x00\x01\x00\x00\x03a/b\x00\x00"))
def test_a_length_in_more_bytes_than_it_needs_is_malformed(mqtt, neighbour, unique, packet):
    """[MQTT-1.5.5-1]"""
    client = mqtt.connect(unique("c"))
    client.send(packet)
    client.expect_disconnect(0x81, 0x82)


BAD_UTF8 = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"a\x80", b"\xe2\x82",
            b"\xf8\x88\x80\x80\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"a\0b", b"\0"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("bad", BAD_UTF8, ids=[b.hex() for b in BAD_UTF8])
def test_bad_utf8_and_u0000_are_malformed_wherever_a_string_stands(mqtt, neighbour, unique, version, bad):
    """[MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-3.3.2-1] [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-4.7.3-2] [MQTT-1.5.7-1]"""
    packets = [mp.publish(bad, b"x", version=version), mp.subscribe(1, [(bad, 0)], version=version),
               mp.unsubscribe(1, [bad], version=version)]
    if version == 5:
        packets += [mp.publish("t", b"x", props=props) for props in (
            {"content_type": bad}, {"user": [(bad, "v")]}, {"user": [("k", bad)]})]
        packets += [mp.disconnect(0, {"reason_string": bad}), mp.subscribe(1, [("t", 0)], {"user": [(bad, "")]}),
                    mp.ack(mp.PUBACK, 1, 0x80, {"reason_string": bad})]
    for packet in packets:
        client = mqtt.connect(unique("c"), version)
        client.send(packet)
        try:
            client.expect_disconnect(0x81, 0x82, 0x8F, 0x90)
        except (AssertionError, ConnectionError) as error:
            raise AssertionError(f"{packet.hex()}: {error!r}") from error


@pytest.mark.parametrize("version", VERSIONS)
def test_packet_id_0_is_a_protocol_error(mqtt, neighbour, unique, version):
    """[MQTT-2.2.1-3] [MQTT-2.2.1-2]"""
    packets = [mp.publish("t", b"", 1, packet_id=0, version=version),
               mp.publish("t", b"", 2, packet_id=0, version=version), mp.subscribe(0, [("t", 0)], version=version),
               mp.unsubscribe(0, ["t"], version=version)]
    packets += [mp.ack(t, 0, version=version) for t in (mp.PUBACK, mp.PUBREC, mp.PUBREL, mp.PUBCOMP)]
    for packet in packets:
        client = mqtt.connect(unique("c"), version)
        client.send(packet)
        client.expect_disconnect(0x81, 0x82)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flags", (0x06, 0x0E, 0x07, 0x0F))
def test_qos_3_is_malformed(mqtt, neighbour, unique, version, flags):
    """[MQTT-3.3.1-4]"""
    client = mqtt.connect(unique("c"), version)
    client.send(mp.publish("t", b"x", 1, packet_id=1, version=version, flags=flags))
    client.expect_disconnect(0x81)


def test_dup_with_qos_0_is_malformed(mqtt, neighbour, unique):
    """[MQTT-3.3.1-2]"""
    client = mqtt.connect(unique("c"))
    client.send(mp.publish("t", b"x", flags=8))
    client.expect_disconnect(0x81, 0x82)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("topic", ("a/+", "#", "a#b", "+", "a+b/c"))
def test_wildcards_in_a_topic_name_end_the_connection(mqtt, neighbour, unique, version, topic):
    """[MQTT-3.3.2-2] [MQTT-4.7.0-1]"""
    client = mqtt.connect(unique("c"), version)
    client.send_publish(topic, b"x")
    client.expect_disconnect(0x81, 0x82, 0x90)


@pytest.mark.parametrize("version", VERSIONS)
def test_empty_topics_and_filters_end_the_connection(mqtt, neighbour, unique, version):
    """[MQTT-4.7.3-1] [MQTT-3.8.3-2] [MQTT-3.10.3-2]"""
    packets = [mp.subscribe(1, [], version=version), mp.unsubscribe(1, [], version=version),
               mp.publish("", b"x", version=version)]
    for packet in packets:
        client = mqtt.connect(unique("c"), version)
        client.send(packet)
        client.expect_disconnect(0x81, 0x82, 0x8F, 0x90)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_filter_is_invalid(mqtt, neighbour, unique, version):
    """[MQTT-4.7.3-1] [MQTT-3.8.3-1] A failed filter in SUBACK or UNSUBACK, or the end of the connection."""
    for packet in (mp.subscribe(1, [("", 0)], version=version), mp.unsubscribe(1, [""], version=version)):
        client = mqtt.connect(unique("c"), version)
        client.send(packet)
        try:
            answer = client.next()
        except Closed:
            assert version < 5
            continue
        assert (answer.reasons or [answer.reason])[0] in (0x80, 0x81, 0x82, 0x8F), answer


@pytest.mark.parametrize("packet", [
    mp.subscribe(1, [("t", 0)], {"subscription_id": 0}),
    mp.subscribe(1, [("t", 0)], [("subscription_id", 1), ("subscription_id", 2)]),
    mp.subscribe(1, [("t", 0)], {"content_type": "x"}),
    mp.subscribe(1, [("t", 0)], {"reason_string": "x"}),
    mp.unsubscribe(1, ["t"], {"subscription_id": 1}),
    mp.ack(mp.PUBACK, 1, 0, {"content_type": "x"}),
    mp.ack(mp.PUBREL, 1, 0, [("reason_string", "a"), ("reason_string", "b")]),
    mp.disconnect(0, [("session_expiry", 1), ("session_expiry", 1)]),
    mp.disconnect(0, {"topic_alias": 1}),
    mp.disconnect(0, b"\x7e\x00"),
    mp.subscribe(1, [("t", 0)], b"\x26\xff\xff"),
    mp.publish("t", b"", props=b"\x02\x00\x00"),
    b"\x30\x05\x00\x01t\x7fx",
], ids=lambda p: p[:16].hex())
def test_duplicate_misplaced_and_cut_properties_end_the_connection(mqtt, neighbour, unique, packet):
    """[MQTT-4.13.1-1] [MQTT-4.13.2-1]"""
    client = mqtt.connect(unique("c"), props={"session_expiry": 60})
    client.send(packet)
    client.expect_disconnect(0x81, 0x82)


@pytest.mark.parametrize("packet", [
    mp.ack(mp.PUBACK, 1, 0x01), mp.ack(mp.PUBACK, 1, 0x92), mp.ack(mp.PUBREC, 1, 0xFF), mp.ack(mp.PUBREL, 1, 0x10),
    mp.ack(mp.PUBCOMP, 1, 0x80), mp.disconnect(0x8B), mp.disconnect(0x8E), mp.disconnect(0x01), mp.disconnect(0xFE),
], ids=lambda p: p.hex())
def test_reason_codes_that_may_not_stand_there_end_the_connection(mqtt, neighbour, unique, packet):
    """[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.14.2-1] [MQTT-4.13.1-1]"""
    client = mqtt.connect(unique("c"))
    client.send(packet)
    client.expect_disconnect(0x81, 0x82)
