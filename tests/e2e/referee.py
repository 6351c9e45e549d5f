"""What holds for every packet that a server sends, whatever the test is about: checked on each one received."""

from __future__ import annotations

from mqtt_packets import (
    AUTH, CONNACK, CONNECT, DISCONNECT, NAMES, PINGREQ, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIBE,
    UNSUBSCRIBE, Packet,
)


class Foul(AssertionError):
    """The server broke a rule that needs no knowledge of the test."""


class Referee:
    """State of one connection as its client announced it and as the wire has shown it so far.

    Parsing (mqtt_packets) has already checked form, flags, properties and reason codes.
    """

    def __init__(self, version: int):
        self.version = version
        self.maximum_packet_size = 0  # 0 = none announced
        self.receive_maximum = 65535
        self.topic_alias_maximum = 0
        self.request_problem_info = 1
        self.accepted = False
        self.over = False
        self.aliases: dict[int, str] = {}
        self.unacknowledged: set[int] = set()  # packet ids of the server's QoS 1 and 2 messages

    def announced(self, props) -> None:
        """Takes the limits out of the properties of a CONNECT that is about to be sent."""
        if isinstance(props, (bytes, bytearray)):
            return
        props = dict(props)
        self.maximum_packet_size = props.get("maximum_packet_size", 0)
        self.receive_maximum = props.get("receive_maximum", 65535)
        self.topic_alias_maximum = props.get("topic_alias_maximum", 0)
        self.request_problem_info = props.get("request_problem_info", 1)

    def received(self, packet: Packet) -> None:
        self._rule(not self.over, packet, "a packet after DISCONNECT")
        self._rule(packet.type not in (CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ), packet, "a client's packet")
        if self.maximum_packet_size:
            self._rule(len(packet.raw) <= self.maximum_packet_size, packet, "beyond Maximum Packet Size")
        if packet.type == CONNACK:
            self._rule(not self.accepted, packet, "a second CONNACK")
            self._rule(not (packet.reason and packet.session_present), packet, "session present in a refusal")
            self.accepted = packet.reason == 0
        else:
            self._rule(self.accepted or packet.type == AUTH, packet, "a packet before CONNACK")
        if packet.type == DISCONNECT:
            self._rule(self.version == 5, packet, "DISCONNECT to a 3.x client")
            self._rule("session_expiry" not in packet.properties, packet, "session expiry from a server")
            self.over = True
        if not self.request_problem_info and packet.type not in (PUBLISH, CONNACK, DISCONNECT):
            told = {"reason_string", "user"} & set(packet.properties)
            self._rule(not told, packet, "problem information that was not wanted")
        if packet.type == PUBLISH:
            self._publish(packet)
        elif packet.type == PUBREL:
            self._rule(packet.packet_id in self.unacknowledged or packet.reason, packet, "PUBREL out of nothing")

    def _publish(self, packet: Packet) -> None:
        alias = packet.properties.get("topic_alias")
        if alias is not None:
            self._rule(alias <= self.topic_alias_maximum, packet, "alias beyond Topic Alias Maximum")
            if packet.topic:
                self.aliases[alias] = packet.topic
            self._rule(alias in self.aliases, packet, "alias of no topic")
            packet.topic = self.aliases[alias]
        if packet.qos:
            fresh = packet.packet_id not in self.unacknowledged
            self._rule(fresh, packet, "packet id in use")
            self.unacknowledged.add(packet.packet_id)
            room = len(self.unacknowledged) <= self.receive_maximum
            self._rule(room, packet, "beyond Receive Maximum")

    def sent(self, type_: int, packet_id: int, reason: int) -> None:
        """The client answers one of the server's messages."""
        if type_ in (PUBACK, PUBCOMP) or (type_ == PUBREC and reason >= 0x80):
            self.unacknowledged.discard(packet_id)

    def resumed(self, packet_ids) -> None:
        """Messages a former connection left half acknowledged: their PUBREL may come again."""
        self.unacknowledged |= set(packet_ids)

    def _rule(self, holds, packet: Packet, what: str) -> None:
        if not holds:
            raise Foul(f"{what}: {NAMES[packet.type]}: {packet}")
