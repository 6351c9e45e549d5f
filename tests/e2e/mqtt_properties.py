"""MQTT 5.0 properties for the tests: names, wire types, where each may stand; encode and strict decode."""

from __future__ import annotations

import struct

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15
WILL = 0  # scope of the will properties inside CONNECT

ACKS = (CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)

# name: (identifier, wire type, packet types it may stand in)
PROPERTIES = {
    "payload_format": (0x01, "byte", (PUBLISH, WILL)),
    "message_expiry": (0x02, "four", (PUBLISH, WILL)),
    "content_type": (0x03, "text", (PUBLISH, WILL)),
    "response_topic": (0x08, "text", (PUBLISH, WILL)),
    "correlation_data": (0x09, "binary", (PUBLISH, WILL)),
    "subscription_id": (0x0B, "varint", (PUBLISH, SUBSCRIBE)),
    "session_expiry": (0x11, "four", (CONNECT, CONNACK, DISCONNECT)),
    "assigned_client_id": (0x12, "text", (CONNACK,)),
    "server_keep_alive": (0x13, "two", (CONNACK,)),
    "auth_method": (0x15, "text", (CONNECT, CONNACK, AUTH)),
    "auth_data": (0x16, "binary", (CONNECT, CONNACK, AUTH)),
    "request_problem_info": (0x17, "byte", (CONNECT,)),
    "will_delay": (0x18, "four", (WILL,)),
    "request_response_info": (0x19, "byte", (CONNECT,)),
    "response_information": (0x1A, "text", (CONNACK,)),
    "server_reference": (0x1C, "text", (CONNACK, DISCONNECT)),
    "reason_string": (0x1F, "text", ACKS),
    "receive_maximum": (0x21, "two", (CONNECT, CONNACK)),
    "topic_alias_maximum": (0x22, "two", (CONNECT, CONNACK)),
    "topic_alias": (0x23, "two", (PUBLISH,)),
    "maximum_qos": (0x24, "byte", (CONNACK,)),
    "retain_available": (0x25, "byte", (CONNACK,)),
    "user": (0x26, "pair", tuple(range(0, 12)) + (DISCONNECT, AUTH)),
    "maximum_packet_size": (0x27, "four", (CONNECT, CONNACK)),
    "wildcard_available": (0x28, "byte", (CONNACK,)),
    "subscription_id_available": (0x29, "byte", (CONNACK,)),
    "shared_available": (0x2A, "byte", (CONNACK,)),
}
BY_IDENTIFIER = {row[0]: (name, row[1], row[2]) for name, row in PROPERTIES.items()}
NOT_ZERO = {"receive_maximum", "maximum_packet_size", "topic_alias", "subscription_id"}
ZERO_OR_ONE = {
    "payload_format", "request_problem_info", "request_response_info", "maximum_qos",
    "retain_available", "wildcard_available", "subscription_id_available", "shared_available",
}


class Malformed(Exception):
    """The bytes are not a legal packet."""


def varint(value: int) -> bytes:
    """A Variable Byte Integer in its shortest form."""
    out = bytearray()
    while True:
        value, digit = value >> 7, value & 0x7F
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value: str | bytes) -> bytes:
    """Length-prefixed string (or binary data, which has the same form)."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(data)) + data


def encode_value(kind: str, value) -> bytes:
    if kind == "byte":
        return bytes([value])
    if kind == "two":
        return struct.pack("!H", value)
    if kind == "four":
        return struct.pack("!I", value)
    if kind == "varint":
        return varint(value)
    if kind == "pair":
        return text(value[0]) + text(value[1])
    return text(value)


def property_bytes(name: str, value) -> bytes:
    """One property on the wire."""
    identifier, kind, _ = PROPERTIES[name]
    return bytes([identifier]) + encode_value(kind, value)


def properties(props=()) -> bytes:
    """Property Length and properties. `props`: dict, list of (name, value), or bytes taken as they are.

    In a dict the value of `user` is a list of pairs and that of `subscription_id` may be a list.
    """
    if isinstance(props, (bytes, bytearray)):
        return varint(len(props)) + bytes(props)
    items = []
    for name, value in props.items() if isinstance(props, dict) else props:
        repeated = isinstance(value, list)
        items += [(name, each) for each in value] if repeated else [(name, value)]
    body = b"".join(property_bytes(name, value) for name, value in items)
    return varint(len(body)) + body


class Reader:
    """Strict reader of one packet's body."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        if self.left() < count:
            raise Malformed(f"{count} bytes wanted, {self.left()} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def two(self) -> int:
        return struct.unpack("!H", self.take(2))[0]

    def four(self) -> int:
        return struct.unpack("!I", self.take(4))[0]

    def binary(self) -> bytes:
        return self.take(self.two())

    def text(self) -> str:
        data = self.binary()
        try:
            value = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(f"not UTF-8: {data!r}") from error
        if "\0" in value:
            raise Malformed("U+0000 in a string")
        return value

    def pair(self) -> tuple[str, str]:
        return self.text(), self.text()

    def varint(self) -> int:
        value = 0
        for index in range(4):
            digit = self.byte()
            value |= (digit & 0x7F) << (7 * index)
            if not digit & 0x80:
                if index and not digit:
                    raise Malformed("a Variable Byte Integer longer than needed")
                return value
        raise Malformed("a Variable Byte Integer of five bytes")

    def properties(self, scope: int) -> dict:
        """All properties; `user` becomes a list of pairs, `subscription_id` a list."""
        inner = Reader(self.take(self.varint()))
        found: dict = {}
        while inner.left():
            identifier = inner.varint()
            if identifier not in BY_IDENTIFIER:
                raise Malformed(f"unknown property 0x{identifier:02x}")
            name, kind, scopes = BY_IDENTIFIER[identifier]
            if scope not in scopes:
                raise Malformed(f"{name} may not stand in packet type {scope}")
            value = getattr(inner, kind)()
            if name in NOT_ZERO and value == 0:
                raise Malformed(f"{name} is 0")
            if name in ZERO_OR_ONE and value > 1:
                raise Malformed(f"{name} is {value}")
            if name == "user" or (name == "subscription_id" and scope == PUBLISH):
                found.setdefault(name, []).append(value)
            elif name in found:
                raise Malformed(f"{name} twice")
            else:
                found[name] = value
        return found
