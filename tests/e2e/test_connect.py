"""CONNECT and CONNACK."""

import time

import pytest

import mqtt_packets as mp
from mqtt_packets import CONNACK, PUBLISH, Will
from mqtt_wire import DEADLINE, Closed

VERSIONS = (3, 4, 5)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_valid_connect_is_answered_by_one_connack_with_success(mqtt, unique, version):
    """[MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.2.2-1] [MQTT-4.2-1] The referee watches for a second one."""
    client = mqtt.open(version)
    connack = client.connect(unique("c"))
    assert connack.session_present is False
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_client_ids_of_1_to_23_letters_and_digits_are_allowed(mqtt, version):
    """[MQTT-3.1.3-5]"""
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for client_id in ("z", alphabet[:23], alphabet[20:43], alphabet[-23:]):
        mqtt.open(version).connect(client_id)


def test_a_long_client_id_in_any_script_is_allowed(mqtt):
    """[MQTT-3.1.3-3] [MQTT-3.1.3-4]"""
    mqtt.connect("käyttäjä-用户-" + "x" * 200)


def test_an_empty_client_id_gets_a_new_one_that_works_for_the_session(mqtt):
    """[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]"""
    first = mqtt.connect("", props={"session_expiry": 60})
    second = mqtt.connect("", props={"session_expiry": 60})
    assert first.client_id and second.client_id and first.client_id != second.client_id
    first.drop()
    again = mqtt.connect(first.client_id, clean=False)
    assert again.connack.session_present
    assert "assigned_client_id" not in again.connack.properties


@pytest.mark.parametrize("version", (3, 4))
def test_an_empty_3x_client_id_needs_clean_session(mqtt, version):
    """[MQTT-3.1.3-8] Return code 2 and the end; 3.1 has no empty client ids at all."""
    client = mqtt.open(version)
    client.connect("", clean=False, expect=2)
    client.expect_closed()


def test_an_empty_31_client_id_is_refused_with_clean_session_too(mqtt):
    """[MQTT-3.1.3-8] A client id of 3.1 has 1 to 23 characters."""
    client = mqtt.open(3)
    client.connect("", clean=True, expect=2)
    client.expect_closed()


def test_an_empty_311_client_id_with_clean_session_is_accepted(mqtt):
    """[MQTT-3.1.3-6]"""
    client = mqtt.open(4)
    client.connect("")
    client.ping()


@pytest.mark.parametrize("name, level, codes", [
    ("MQTT", 6, (0x84,)), ("MQTT", 255, (0x84, 1)), ("MQTT", 0, (1,)), ("MQTT", 3, (1,)), ("MQIsdp", 4, (1,)),
    ("MQIsdp", 2, (1,)), ("mqtt", 4, (1,)), ("HTTP", 4, (1,)), ("MQTTX", 5, (0x84,)), ("MQIsdp", 5, (0x84,)), ("", 5, (0x84,)),
    ("", 4, (1,)), ("MQIsdp", 0x83, (1,)), ("MQTT", 0x84, (1,)),
])
def test_an_unknown_protocol_name_or_level_is_refused_in_a_form_the_client_can_read(mqtt, unique, name, level, codes):
    """[MQTT-3.1.2-1] [MQTT-3.1.2-2] [MQTT-3.2.2-7]"""
    shape = 5 if level > 4 and level not in (0x83, 0x84) else 4
    client = mqtt.open(shape)
    client.send(mp.connect(unique("c"), shape, protocol_name=name, level=level))
    raw = _all_bytes(client)
    assert raw[:1] == b"\x20" and raw[2:3] == b"\0" and raw[3] in codes, raw.hex()
    assert len(raw) == 2 + raw[1], "one packet and the end"


def _all_bytes(client):
    data = b""
    while more := client.socket.recv(4096):
        data += more
    return data


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_connect_is_a_protocol_error(mqtt, unique, version):
    """[MQTT-3.1.0-2] [MQTT-3.2.0-2]"""
    client = mqtt.connect(unique("c"), version)
    client.send(mp.connect(unique("c"), version))
    client.expect_disconnect(0x82)


@pytest.mark.parametrize("first", [
    mp.pingreq(), mp.publish("t", b"x"), mp.subscribe(1, [("#", 0)]), mp.disconnect(), mp.auth(0x19),
    mp.ack(mp.PUBACK, 1), b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00", b"\xff" * 8, b"\x16\x03\x01\x02\x00\x01",
])
def test_anything_before_connect_ends_the_connection_in_silence(mqtt, first):
    """[MQTT-3.1.0-1] [MQTT-3.2.0-1] [MQTT-3.14.0-1]"""
    client = mqtt.open()
    client.send(first)
    client.expect_closed()


def test_no_publish_before_connect_is_delivered(mqtt, unique):
    """[MQTT-3.1.0-1]"""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    client = mqtt.open()
    client.send(mp.publish(topic, b"early"), mp.connect(unique("c")))
    client.expect_closed()
    watcher.expect_nothing(via=mqtt.connect())


def test_silence_is_ended_after_the_connect_timeout(mqtt_with):
    """[MQTT-3.14.0-1] No DISCONNECT may come before CONNACK."""
    mqtt = mqtt_with("limits.connect-timeout-ms=300")
    silent, half = mqtt.open(), mqtt.open()
    half.send(mp.connect("half")[:10])
    silent.expect_closed(timeout=3)
    half.expect_closed(timeout=3)
    mqtt.connect().ping()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_reserved_connect_flag_must_be_0(mqtt, unique, version):
    """[MQTT-3.1.2-3] [MQTT-3.1.4-1] [MQTT-4.13.1-1]"""
    _refused_as_malformed(mqtt, version, mp.connect(unique("c"), version, flags=3))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flags", [0x0A, 0x12, 0x22, 0x1A])
def test_will_qos_and_will_retain_must_be_0_without_a_will(mqtt, unique, version, flags):
    """[MQTT-3.1.2-11] [MQTT-3.1.2-13]"""
    _refused_as_malformed(mqtt, version, mp.connect(unique("c"), version, flags=flags))


@pytest.mark.parametrize("version", VERSIONS)
def test_will_qos_3_is_malformed(mqtt, unique, version):
    """[MQTT-3.1.2-12]"""
    _refused_as_malformed(mqtt, version, mp.connect(unique("c"), version, will=Will("t"), flags=0x1E))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flags", [0x06, 0x82, 0xC2, 0xC6])
def test_fields_that_the_flags_announce_must_be_present(mqtt, unique, version, flags):
    """[MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.3-1] In 3.1 user name and password may be missing."""
    packet = mp.connect(unique("c"), version, flags=flags)
    if version == 3 and not flags & 4:
        client = mqtt.open(3)
        client.send(packet)
        client.expect(CONNACK, reason=0)
    else:
        _refused_as_malformed(mqtt, version, packet)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("flags, fields", [(0x02, {"username": "u"}), (0x82, {"username": "u", "password": "p"}),
                                           (0x02, {"will": Will("t")})])
def test_fields_that_the_flags_do_not_announce_must_be_absent(mqtt, unique, version, flags, fields):
    """[MQTT-3.1.2-16] [MQTT-3.1.2-18]"""
    _refused_as_malformed(mqtt, version, mp.connect(unique("c"), version, flags=flags, **fields))


def _refused_as_malformed(mqtt, version, packet):
    client = mqtt.open(version)
    client.send(packet)
    try:
        answer = client.next()
    except Closed:
        assert version < 5, "5.0 gets a CONNACK that says why"
        return
    assert answer.type == CONNACK
    assert answer.reason in ((0x81, 0x82) if version == 5 else range(1, 6)), answer
    client.expect_closed()


def test_a_311_password_needs_a_user_name_and_a_5_password_does_not(mqtt, unique):
    """[MQTT-3.1.2-19] [MQTT-3.1.3-1]"""
    _refused_as_malformed(mqtt, 4, mp.connect(unique("c"), 4, password="p"))
    mqtt.open(5).connect(unique("c"), password="p")


@pytest.mark.parametrize("version", VERSIONS)
def test_all_fields_of_connect_in_their_order_are_understood(mqtt, unique, version):
    """[MQTT-3.1.3-1] [MQTT-3.1.3-12] [MQTT-3.1.2-9] Empty payload, user name and password are legal too."""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    for payload, username, password in ((b"gone", "ü", b"\x00\xff"), (b"", "", b"")):
        client = mqtt.connect(unique("c"), version, username=username, password=password, will=Will(topic, payload))
        client.drop()
        watcher.message(topic, payload)


@pytest.mark.parametrize("fields", [{"client_id": b"\xff\xfe"}, {"client_id": b"a\0b"}, {"username": b"\xed\xa0\x80"},
                                    {"will": Will(b"a\xc0\x80b")}, {"will": Will("a/#")}, {"will": Will("")}])
@pytest.mark.parametrize("version", VERSIONS)
def test_strings_of_connect_must_be_utf8_and_the_will_topic_a_topic_name(mqtt, unique, version, fields):
    """[MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12] [MQTT-3.1.4-1]"""
    client = mqtt.open(version)
    client.send(mp.connect(**{"client_id": unique("c"), "version": version, **fields}))
    try:
        answer = client.next()
    except Closed:
        assert version < 5
        return
    assert answer.type == CONNACK
    assert answer.reason in ((0x81, 0x82, 0x85, 0x90) if version == 5 else range(1, 6)), answer
    client.expect_closed()


@pytest.mark.parametrize("props", [
    {"receive_maximum": 0}, {"maximum_packet_size": 0}, {"request_problem_info": 2}, {"request_response_info": 9},
    [("session_expiry", 1), ("session_expiry", 1)], [("receive_maximum", 5), ("receive_maximum", 6)],
    {"topic_alias": 1}, {"reason_string": "why"}, {"auth_data": b"without a method"}, {"user": [(b"\xff", "v")]},
    b"\x99\x01", b"\x11\x00",
])
def test_properties_that_connect_may_not_have_are_refused(mqtt, unique, props):
    """[MQTT-3.1.4-1] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-1.5.7-1]"""
    _refused_as_malformed(mqtt, 5, mp.connect(unique("c"), props=props))


def test_every_connect_property_at_once_is_accepted(mqtt, unique):
    """[MQTT-3.1.2-9] [MQTT-2.2.2-1]"""
    client = mqtt.open()
    client.connect(unique("c"), username="u", password="p", props={
        "session_expiry": 1, "receive_maximum": 65535, "maximum_packet_size": 268435460, "topic_alias_maximum": 65535,
        "request_response_info": 1, "request_problem_info": 1, "user": [("a", "b"), ("a", "b")]},
        will=Will("t", b"x", 2, True, {"will_delay": 0, "payload_format": 1, "message_expiry": 1, "content_type": "c",
                                       "response_topic": "r", "correlation_data": b"d", "user": [("a", "b")]}))
    client.disconnect()


def test_nothing_sent_after_a_refused_connect_is_processed(mqtt, mqtt_with, unique):
    """[MQTT-3.1.4-6] [MQTT-3.1.4-2] [MQTT-3.2.2-7]"""
    mqtt = mqtt_with("capabilities.maximum-qos=1")
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    client = mqtt.open()
    client.send(mp.connect(unique("c"), will=Will("w", qos=2)), mp.publish(topic, b"smuggled"))
    client.expect(CONNACK, reason=0x9B)
    client.expect_closed()
    watcher.expect_nothing(via=mqtt.connect())


def test_packets_sent_together_with_connect_are_processed_after_it(mqtt, unique):
    """[MQTT-3.1.4-5]"""
    topic = unique("t")
    client = mqtt.open()
    client.send(mp.connect(unique("c")), mp.subscribe(1, [(topic, 0)]), mp.publish(topic, b"at once"), mp.pingreq())
    assert [client.next().type for _ in range(2)] == [CONNACK, mp.SUBACK]
    assert {client.next().type, client.next().type} == {PUBLISH, mp.PINGRESP}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connect_that_arrives_byte_by_byte_is_understood(mqtt, unique, version):
    """[MQTT-4.2-1]"""
    client = mqtt.open(version)
    for byte in mp.connect(unique("c"), version, will=Will("t"), username="u", password="p"):
        client.send(bytes([byte]))
    client.expect(CONNACK, reason=0)


def test_response_information_comes_on_request_only(mqtt, mqtt_with, unique):
    """[MQTT-3.1.2-28] Unless the compatibility option `always-return-response` says otherwise."""
    for props, expected in (({}, False), ({"request_response_info": 0}, False), ({"request_response_info": 1}, True)):
        connack = mqtt.open().connect(unique("c"), props=props)
        assert ("response_information" in connack.properties) == expected
    always = mqtt_with("capabilities.compatibilities.always-return-response=true")
    assert "response_information" in always.open().connect(unique("c")).properties


def test_an_unknown_authentication_method_is_refused(mqtt, unique):
    """[MQTT-4.12.0-1] [MQTT-4.12.0-4] Without hooks there is no method at all."""
    client = mqtt.open()
    client.connect(unique("c"), props={"auth_method": "SCRAM-SHA-1", "auth_data": b"n,,n=user"}, expect=0x8C)
    client.expect_closed()


def test_auth_without_an_authentication_method_is_a_protocol_error(mqtt, unique):
    """[MQTT-4.12.0-6] [MQTT-4.12.0-7] [MQTT-4.12.1-1] The CONNACK names no method, and an AUTH is not answered."""
    for packet in (mp.auth(0x19), mp.auth(0x19, {"auth_method": "x"}), mp.auth(0x18), mp.frame(mp.AUTH)):
        client = mqtt.connect(unique("c"))
        assert "auth_method" not in client.connack.properties
        client.send(packet)
        client.expect_disconnect(0x82, 0x8C)


def test_minimum_protocol_version_refuses_older_clients_with_return_code_1(mqtt_with, unique):
    """[MQTT-3.1.2-2]"""
    mqtt = mqtt_with("capabilities.minimum-protocol-version=5")
    for version in (3, 4):
        client = mqtt.open(version)
        client.connect(unique("c"), expect=1)
        client.expect_closed()
    mqtt.connect(unique("c"))


@pytest.mark.parametrize("first", (1, 2, 13))
def test_what_stands_behind_a_connect_that_came_in_two_pieces_is_handled(mqtt, unique, first):
    """[MQTT-4.2-1] [MQTT-3.12.4-1] Whichever thread the client id belongs to."""
    other = mqtt.connect()
    for _ in range(8):
        client = mqtt.open()
        data = mp.connect(unique("c"), 5) + mp.pingreq() + mp.pingreq()
        client.send(data[:first])
        other.ping()
        client.send(data[first:])
        for wanted in (mp.CONNACK, mp.PINGRESP, mp.PINGRESP):
            client.expect(wanted)


BIG = [
    ("token", {"username": "u", "password": b"t" * 12_000}),
    ("will", {"will": Will("t", b"w" * 30_000)}),
    ("everything", {"username": "u" * 15_000, "password": b"t" * 15_000, "will": Will("t", b"w" * 30_000)}),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fields", [fields for _, fields in BIG], ids=[name for name, _ in BIG])
def test_a_connect_of_many_kilobytes_is_accepted(mqtt, unique, version, fields):
    """[MQTT-3.1.3-1]"""
    packet = mp.connect(unique("c"), version, **fields)
    for pieces in (len(packet), 5000):
        client = mqtt.open(version)
        for at in range(0, len(packet), pieces):
            client.send(packet[at : at + pieces])
        client.expect(CONNACK, reason=0)
        client.ping()


def test_a_connect_with_many_user_properties_is_accepted(mqtt, unique):
    """[MQTT-3.1.2-9]"""
    pairs = [(f"key-{n}", "value") for n in range(200)]
    will = Will("t", b"w", props={"user": pairs})
    client = mqtt.open(5)
    client.send(mp.connect(unique("c"), 5, will=will, props={"user": pairs}))
    client.expect(CONNACK, reason=0)


@pytest.mark.parametrize("version", (3, 4))
def test_a_3x_connect_is_refused_in_silence_where_there_is_no_return_code(mqtt_with, unique, version):
    """Section 3.2.2.3 of 3.1.1: the connection is closed without a CONNACK."""
    cases = [
        (("limits.connect-packet-size=1000",), {"username": "x" * 1000}),
        (("capabilities.maximum-qos=0",), {"will": Will("t", b"w", 1)}),
        (("capabilities.retain-available=false",), {"will": Will("t", b"w", retain=True)}),
    ]
    for options, fields in cases:
        client = mqtt_with(*options).open(version)
        client.send(mp.connect(unique("c"), version, **fields))
        client.expect_closed()


@pytest.mark.parametrize("version", (3, 4))
def test_a_3x_client_id_that_is_too_long_is_refused_with_return_code_2(mqtt_with, unique, version):
    """[MQTT-3.1.3-8]"""
    client = mqtt_with("limits.connect-packet-size=1000").open(version)
    client.connect("x" * 1100, expect=2)
    client.expect_closed()


@pytest.mark.parametrize("version, answer", ((3, None), (4, None), (5, 0x95)))
def test_a_connect_that_is_too_large_is_answered_when_its_version_is_known(mqtt_with, unique, version, answer):
    """[MQTT-3.2.2-7] Its header alone does not tell; nobody waits for the rest of it."""
    packet = mp.connect(unique("c"), version, username="x" * 2000)
    client = mqtt_with("limits.connect-packet-size=1000").open(version)
    for at in range(20):
        client.send(packet[at : at + 1])
    if answer:
        client.expect(CONNACK, reason=answer)
    client.expect_closed()


def test_refused_connects_are_logged_with_peer_and_cause(own_broker, unique):
    """Too large, malformed, and with a return code: one line each, at most one a second."""
    for number, (version, bad, words) in enumerate([
        (4, mp.connect(unique("c"), 4, username="x" * 2000), "limits.connect-packet-size"),
        (4, mp.connect(unique("c"), 4, flags=0x03), "reserved connect flag"),
        (5, mp.connect(unique("c"), 5, username="x" * 2000), "Packet too large"),
        (3, mp.connect("", 3), "Client Identifier not valid"),
    ]):
        clients = own_broker("limits.connect-packet-size=1000")
        client = clients.open(version)
        peer = "%s:%d" % client.socket.getsockname()
        client.send(bad)
        try:
            client.next()
            client.expect_closed()
        except Closed:
            pass
        deadline = time.monotonic() + DEADLINE
        while not (lines := [line for line in clients.broker.log().splitlines() if "CONNECT refused" in line]):
            assert time.monotonic() < deadline, clients.broker.log()  # the program writes its log when it has time
        assert len(lines) == 1 and peer in lines[0] and words in lines[0], (number, clients.broker.log())
