"""Packets: fields, properties, wire form."""

import pytest

from comqtt import Error, Packet, PacketType, Reason, Status, TopicFilter, packets


def again(packet: Packet, from_server: bool = False) -> Packet:
    """The packet after a journey over the wire."""
    wire = packet.encode()
    assert Packet.decode(wire[:-1], packet.version, from_server=from_server) is None
    decoded, used = Packet.decode(wire, packet.version, from_server=from_server)
    assert used == len(wire)
    return decoded


def test_a_publish_keeps_every_field_over_the_wire():
    packet = again(packets.publish("a/b", b"\0\1", qos=2, retain=True, dup=True, packet_id=9,
                                   properties={"message_expiry_interval": 60, "content_type": "text/plain",
                                               "correlation_data": b"\xff", "payload_format_indicator": 0},
                                   user_properties=[("k", "v"), ("k", "w")]))
    assert (packet.type, packet.topic, packet.payload) == (PacketType.PUBLISH, "a/b", b"\0\1")
    assert (packet.qos, packet.retain, packet.dup, packet.packet_id) == (2, True, True, 9)
    assert packet.properties == {"message_expiry_interval": 60, "content_type": "text/plain",
                                 "correlation_data": b"\xff", "payload_format_indicator": 0}
    assert packet.user_properties == [("k", "v"), ("k", "w")]


def test_a_connect_keeps_every_field_over_the_wire():
    packet = again(packets.connect("me", clean_start=False, keep_alive=30, username="user", password=b"pass",
                                   will=("will/topic", b"gone", 1, True),
                                   will_properties={"will_delay_interval": 5},
                                   properties={"session_expiry_interval": 100, "receive_maximum": 3}))
    assert (packet.client_id, packet.clean_start, packet.keep_alive) == ("me", False, 30)
    assert (packet.username, packet.password) == ("user", b"pass")
    assert packet.will == ("will/topic", b"gone", 1, True)
    assert packet.will_properties == {"will_delay_interval": 5}
    assert packet.properties == {"session_expiry_interval": 100, "receive_maximum": 3}


def test_absent_names_and_passwords_are_none_and_empty_ones_are_not():
    absent = again(packets.connect("me"))
    assert (absent.username, absent.password, absent.will) == (None, None, None)
    empty = again(packets.connect("me", username="", password=b""))
    assert (empty.username, empty.password) == ("", b"")


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_connect_keeps_its_fields_in_every_version(version):
    packet = again(packets.connect("someone-with-a-long-name", version=version, username="a user name of some length"))
    assert packet.version == version
    assert packet.client_id == "someone-with-a-long-name"
    assert packet.username == "a user name of some length"


def test_filters_are_given_as_objects_texts_or_pairs():
    packet = again(packets.subscribe(TopicFilter("a/#", 1, no_local=True, retain_handling=2), "b", ("c/+", 2),
                                     packet_id=4, properties={"subscription_identifier": 17}))
    assert [(each.filter, each.qos, each.no_local, each.retain_handling) for each in packet.filters] == [
        ("a/#", 1, True, 2), ("b", 0, False, 0), ("c/+", 2, False, 0)]
    assert packet.properties == {"subscription_identifier": [17]}


def test_setting_properties_replaces_all_but_the_user_properties():
    packet = packets.publish("t", properties={"content_type": "x"}, user_properties=[("k", "v")])
    packet.properties = {"response-topic": "answers"}
    packet.set_property("message_expiry_interval", 5)
    assert packet.properties == {"response_topic": "answers", "message_expiry_interval": 5}
    packet.set_property("message_expiry_interval", None)
    assert packet.properties == {"response_topic": "answers"}
    assert packet.user_properties == [("k", "v")]


def test_an_unknown_property_is_a_key_error():
    with pytest.raises(KeyError):
        packets.publish("t", properties={"colour": "red"})


def test_a_clone_lives_its_own_life():
    packet = packets.publish("t", b"one")
    clone = packet.clone()
    clone.payload = b"two"
    assert (packet.payload, clone.payload) == (b"one", b"two")


@pytest.mark.parametrize("payload", [b"text", bytearray(b"text"), memoryview(b"text"), "text"])
def test_payloads_are_anything_that_has_bytes(payload):
    assert packets.publish("t", payload).payload == b"text"


def test_a_number_is_not_a_payload():
    with pytest.raises(TypeError):
        packets.publish("t", 5)


def test_validate_names_the_violated_statement():
    with pytest.raises(Error, match="MQTT-") as caught:
        packets.subscribe(packet_id=0).validate()
    assert caught.value.status == Status.PROTOCOL
    assert caught.value.reason >= 0x80


def test_malformed_bytes_are_a_protocol_error_with_a_reason():
    with pytest.raises(Error) as caught:
        Packet.decode(b"\x30\x03\x00\x05a")
    assert (caught.value.status, caught.value.reason) == (Status.PROTOCOL, Reason.MALFORMED_PACKET)


def test_a_suback_carries_a_reason_code_per_filter():
    packet = Packet(PacketType.SUBACK)
    packet.packet_id = 3
    packet.reason_codes = bytes([0, 1, 0x87])
    assert list(again(packet, from_server=True).reason_codes) == [0, 1, 0x87]


def test_repr_names_the_packet():
    assert repr(packets.publish("a/b")) == "<comqtt.Packet PUBLISH 'a/b'>"
    assert repr(packets.pingreq()) == "<comqtt.Packet PINGREQ>"
