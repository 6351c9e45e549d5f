"""Builders of packets, to inject, to send to one client, or to write to a pipe. `properties` are keyed by the
specification's names in snake case: {"message_expiry_interval": 60}."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

from comqtt._backend import _comqtt
from comqtt.constants import PacketType

Packet = _comqtt.Packet
Properties = Optional[Mapping[str, Any]]
UserProperties = Optional[Iterable[tuple[str, str]]]
Payload = Union[bytes, bytearray, memoryview, str, None]
Filter = Union["_comqtt.TopicFilter", str, tuple[str, int]]


def connect(client_id: str = "", *, version: int = 5, clean_start: bool = True, keep_alive: int = 0,
            username: Optional[str] = None, password: Payload = None,
            will: Optional[tuple[str, Payload, int, bool]] = None, will_properties: Properties = None,
            properties: Properties = None, user_properties: UserProperties = None) -> Packet:
    """`will` is (topic, payload, qos, retain)."""
    packet = _new(PacketType.CONNECT, version, properties, user_properties)
    packet.client_id = client_id
    packet.clean_start = clean_start
    packet.keep_alive = keep_alive
    packet.username = username
    packet.password = password
    if will is not None:
        packet.will = will
        packet.will_properties = dict(will_properties or {})
    return packet


def publish(topic: str, payload: Payload = b"", *, qos: int = 0, retain: bool = False, dup: bool = False,
            packet_id: int = 0, version: int = 5, properties: Properties = None,
            user_properties: UserProperties = None) -> Packet:
    packet = _new(PacketType.PUBLISH, version, properties, user_properties)
    packet.topic = topic
    packet.payload = payload
    packet.qos = qos
    packet.retain = retain
    packet.dup = dup
    packet.packet_id = packet_id
    return packet


def subscribe(*filters: Filter, packet_id: int = 1, version: int = 5, properties: Properties = None,
              user_properties: UserProperties = None) -> Packet:
    """Each filter is a TopicFilter, a text, or (text, qos)."""
    packet = _new(PacketType.SUBSCRIBE, version, properties, user_properties)
    packet.packet_id = packet_id
    packet.filters = filters
    return packet


def unsubscribe(*filters: str, packet_id: int = 1, version: int = 5, properties: Properties = None,
                user_properties: UserProperties = None) -> Packet:
    packet = _new(PacketType.UNSUBSCRIBE, version, properties, user_properties)
    packet.packet_id = packet_id
    packet.filters = filters
    return packet


def acknowledge(kind: int, packet_id: int, reason: int = 0, *, version: int = 5) -> Packet:
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""
    packet = _new(kind, version, None, None)
    packet.packet_id = packet_id
    packet.reason = reason
    return packet


def pingreq(*, version: int = 5) -> Packet:
    return _new(PacketType.PINGREQ, version, None, None)


def disconnect(reason: int = 0, *, version: int = 5, properties: Properties = None) -> Packet:
    packet = _new(PacketType.DISCONNECT, version, properties, None)
    packet.reason = reason
    return packet


def auth(reason: int, *, properties: Properties = None, user_properties: UserProperties = None) -> Packet:
    packet = _new(PacketType.AUTH, 5, properties, user_properties)
    packet.reason = reason
    return packet


def _new(kind: int, version: int, properties: Properties, user_properties: UserProperties) -> Packet:
    packet = Packet(kind, version)
    if properties:
        packet.properties = dict(properties)
    if user_properties:
        packet.user_properties = user_properties
    return packet
