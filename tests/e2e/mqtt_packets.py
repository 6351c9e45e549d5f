"""Building any MQTT packet, also wrong ones, and strict parsing of both directions (3.1, 3.1.1, 5.0)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from mqtt_properties import (
    ACKS, AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL,
    SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, WILL, Malformed, Reader, properties, text, varint,
)

NAMES = ("RESERVED CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE "
         "UNSUBACK PINGREQ PINGRESP DISCONNECT AUTH").split()
PROTOCOL_NAMES = {3: "MQIsdp", 4: "MQTT", 5: "MQTT"}
FIXED_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}

# Reason codes that may stand in each packet (5.0, chapter 3).
PUBLISH_ACK_REASONS = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}
REASONS = {
    CONNACK: {0x00, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F},
    PUBACK: PUBLISH_ACK_REASONS,
    PUBREC: PUBLISH_ACK_REASONS,
    PUBREL: {0x00, 0x92},
    PUBCOMP: {0x00, 0x92},
    SUBACK: {0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2},
    UNSUBACK: {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91},
    AUTH: {0x00, 0x18, 0x19},
}
DISCONNECT_BY_CLIENT = {0x00, 0x04, *range(0x80, 0x84), 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}
# 0x8C stands in the table of section 2.4 for DISCONNECT, though not in that of 3.14.
DISCONNECT_BY_SERVER = {0x00, *range(0x80, 0x84), 0x87, 0x89, *range(0x8B, 0x91), *range(0x93, 0xA3)}


@dataclass
class Packet:
    """One packet. Fields that its type does not have keep their default."""

    type: int
    flags: int = 0
    raw: bytes = b""
    reason: int = 0
    packet_id: int = 0
    topic: str = ""
    payload: bytes = b""
    session_present: bool = False
    reasons: list[int] = field(default_factory=list)
    filters: list = field(default_factory=list)
    properties: dict = field(default_factory=dict)

    @property
    def qos(self) -> int:
        return (self.flags >> 1) & 3

    @property
    def dup(self) -> bool:
        return bool(self.flags & 8)

    @property
    def retain(self) -> bool:
        return bool(self.flags & 1)

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self).items() if v and k not in ("type", "raw")}
        if len(self.payload) > 40:
            shown["payload"] = f"{self.payload[:20]!r}... ({len(self.payload)} bytes)"
        return f"{NAMES[self.type]} {shown} raw={self.raw[:48].hex()}"


def frame(type_: int, body: bytes = b"", flags: int | None = None) -> bytes:
    """Fixed header and body."""
    flags = FIXED_FLAGS.get(type_, 0) if flags is None else flags
    return bytes([type_ << 4 | flags]) + varint(len(body)) + body


@dataclass
class Will:
    topic: str | bytes
    payload: bytes = b"gone"
    qos: int = 0
    retain: bool = False
    props: object = ()


def connect(client_id="", version=5, clean=True, keep_alive=60, username=None, password=None, will=None,
            props=(), *, protocol_name=None, level=None, flags=None) -> bytes:
    """CONNECT; the keyword-only arguments override bytes that follow from the others."""
    bits = 2 if clean else 0
    payload = text(client_id)
    if will:
        bits |= 4 | will.qos << 3 | (32 if will.retain else 0)
        payload += properties(will.props) if version == 5 else b""
        payload += text(will.topic) + text(will.payload)
    if username is not None:
        bits, payload = bits | 128, payload + text(username)
    if password is not None:
        bits, payload = bits | 64, payload + text(password)
    head = text(PROTOCOL_NAMES[version] if protocol_name is None else protocol_name)
    head += bytes([version if level is None else level, bits if flags is None else flags])
    head += struct.pack("!H", keep_alive)
    return frame(CONNECT, head + (properties(props) if version == 5 else b"") + payload)


def publish(topic, payload=b"", qos=0, retain=False, packet_id=None, props=(), dup=False, version=5,
            *, flags=None) -> bytes:
    body = text(topic)
    if packet_id is not None:
        body += struct.pack("!H", packet_id)
    body += properties(props) if version == 5 else b""
    flags = (8 if dup else 0) | qos << 1 | (1 if retain else 0) if flags is None else flags
    return frame(PUBLISH, body + (payload.encode() if isinstance(payload, str) else payload), flags)


def ack(type_: int, packet_id: int, reason=0, props=None, version=5, flags=None) -> bytes:
    """PUBACK, PUBREC, PUBREL, PUBCOMP: short form unless there is something to say."""
    body = struct.pack("!H", packet_id)
    if version == 5 and (reason or props):
        body += bytes([reason]) + (properties(props) if props is not None else b"")
    return frame(type_, body, flags)


def options(qos=0, no_local=False, rap=False, retain_handling=0) -> int:
    return qos | (4 if no_local else 0) | (8 if rap else 0) | retain_handling << 4


def subscribe(packet_id: int, filters, props=(), version=5, flags=None) -> bytes:
    """`filters`: list of (filter, options byte)."""
    body = struct.pack("!H", packet_id) + (properties(props) if version == 5 else b"")
    return frame(SUBSCRIBE, body + b"".join(text(f) + bytes([o]) for f, o in filters), flags)


def unsubscribe(packet_id: int, filters, props=(), version=5, flags=None) -> bytes:
    body = struct.pack("!H", packet_id) + (properties(props) if version == 5 else b"")
    return frame(UNSUBSCRIBE, body + b"".join(text(f) for f in filters), flags)


def pingreq(flags=None) -> bytes:
    return frame(PINGREQ, b"", flags)


def disconnect(reason=0, props=None, version=5, flags=None) -> bytes:
    body = b""
    if version == 5 and (reason or props is not None):
        body = bytes([reason]) + (properties(props) if props is not None else b"")
    return frame(DISCONNECT, body, flags)


def auth(reason=0x18, props=None, flags=None) -> bytes:
    return frame(AUTH, bytes([reason]) + properties(props or ()), flags)


def packet_end(buffer: bytes, at: int) -> int | None:
    """Where the packet that begins at `at` ends; None when it is not complete yet."""
    length = 0
    for index in range(4):
        if len(buffer) < at + 2 + index:
            return None
        digit = buffer[at + 1 + index]
        length |= (digit & 0x7F) << (7 * index)
        if not digit & 0x80:
            if index and not digit:
                raise Malformed("Remaining Length longer than needed")
            end = at + 2 + index + length
            return end if len(buffer) >= end else None
    raise Malformed("Remaining Length of five bytes")


def parse(raw: bytes, version: int, from_server: bool) -> Packet:
    """Strict parse of one whole packet; Malformed says what is wrong."""
    packet = Packet(raw[0] >> 4, raw[0] & 15, raw)
    body = Reader(raw[2 + next(i for i in range(4) if not raw[1 + i] & 0x80) :])
    if packet.type == 0 or (packet.type == AUTH and version < 5):
        raise Malformed(f"packet type {packet.type}")
    if packet.type != PUBLISH and packet.flags != FIXED_FLAGS.get(packet.type, 0):
        raise Malformed(f"flags {packet.flags:#x} of {NAMES[packet.type]}")
    _PARSERS[packet.type](packet, body, version)
    if body.left():
        raise Malformed(f"{body.left()} bytes too many in {packet}")
    allowed = REASONS.get(packet.type)
    if packet.type == DISCONNECT:
        allowed = DISCONNECT_BY_SERVER if from_server else DISCONNECT_BY_CLIENT
    if version == 5 and allowed and not {packet.reason, *packet.reasons} <= allowed:
        raise Malformed(f"reason code that may not stand in {packet}")
    return packet


def _connect(packet: Packet, body: Reader, version: int) -> None:
    if body.text() != PROTOCOL_NAMES[version] or body.byte() != version:
        raise Malformed("protocol name or level")
    bits = body.byte()
    if bits & 1 or bits & 0x18 == 0x18 or (not bits & 4 and bits & 0x38):
        raise Malformed("connect flags")
    if version < 5 and bits & 0xC0 == 0x40:
        raise Malformed("password without user name")
    body.two()
    packet.properties = body.properties(CONNECT) if version == 5 else {}
    body.text()
    if bits & 4:
        if version == 5:
            body.properties(WILL)
        if not body.text():
            raise Malformed("empty will topic")
        body.binary()
    for bit, read in ((128, body.text), (64, body.binary)):
        if bits & bit and (version > 3 or body.left()):  # 3.1: the length counts more than the flag
            read()


def _connack(packet: Packet, body: Reader, version: int) -> None:
    flags = body.byte()
    if flags > 1:
        raise Malformed("connect acknowledge flags")
    packet.session_present, packet.reason = bool(flags), body.byte()
    if version == 5:
        packet.properties = body.properties(CONNACK)
    elif packet.reason > 5:
        raise Malformed(f"return code {packet.reason} for 3.x")


def _publish(packet: Packet, body: Reader, version: int) -> None:
    if packet.qos == 3 or (packet.qos == 0 and packet.dup):
        raise Malformed(f"PUBLISH flags {packet.flags:#x}")
    packet.topic = body.text()
    if "+" in packet.topic or "#" in packet.topic:
        raise Malformed("wildcard in a Topic Name")
    packet.packet_id = body.two() if packet.qos else 0
    if packet.qos and not packet.packet_id:
        raise Malformed("packet id 0")
    packet.properties = body.properties(PUBLISH) if version == 5 else {}
    if not packet.topic and "topic_alias" not in packet.properties:
        raise Malformed("neither topic nor alias")
    packet.payload = body.take(body.left())


def _ack(packet: Packet, body: Reader, version: int) -> None:
    packet.packet_id = body.two()
    if not packet.packet_id:
        raise Malformed("packet id 0")
    if version == 5 and body.left():
        packet.reason = body.byte()
        packet.properties = body.properties(packet.type) if body.left() else {}


def _filters(packet: Packet, body: Reader, version: int) -> None:
    packet.packet_id = body.two()
    if not packet.packet_id:
        raise Malformed("packet id 0")
    packet.properties = body.properties(packet.type) if version == 5 else {}
    while body.left() or not packet.filters:
        name = body.text()
        option = body.byte() if packet.type == SUBSCRIBE else 0
        if option & 3 == 3 or option & 0x30 == 0x30 or option & (0xC0 if version == 5 else 0xFC):
            raise Malformed("subscription options")
        if not name:
            raise Malformed("empty Topic Filter")
        packet.filters.append((name, option))


def _filter_acks(packet: Packet, body: Reader, version: int) -> None:
    packet.packet_id = body.two()
    packet.properties = body.properties(packet.type) if version == 5 else {}
    packet.reasons = list(body.take(body.left()))
    if version < 5 and not set(packet.reasons) <= {0, 1, 2, 0x80}:
        raise Malformed(f"return codes {packet.reasons} for 3.x")


def _nothing(packet: Packet, body: Reader, version: int) -> None:
    pass


def _reason(packet: Packet, body: Reader, version: int) -> None:
    if version == 5 and body.left():
        packet.reason = body.byte()
        packet.properties = body.properties(packet.type) if body.left() else {}


_PARSERS = {
    CONNECT: _connect, CONNACK: _connack, PUBLISH: _publish, PUBACK: _ack, PUBREC: _ack, PUBREL: _ack,
    PUBCOMP: _ack, SUBSCRIBE: _filters, UNSUBSCRIBE: _filters, SUBACK: _filter_acks, UNSUBACK: _filter_acks,
    PINGREQ: _nothing, PINGRESP: _nothing, DISCONNECT: _reason, AUTH: _reason,
}
assert set(ACKS) <= set(_PARSERS)
