"""A small raw-socket MQTT client for tests: sends anything, reads strictly, never sleeps.

Packets that arrive while another is waited for stay in `inbox`, in order.
"""

from __future__ import annotations

import socket
import struct
import time

import mqtt_packets as mp
from broker import TIME_FACTOR
from mqtt_packets import (
    CONNACK, DISCONNECT, NAMES, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, Packet,
)
from referee import Referee

DEADLINE = 5.0 * TIME_FACTOR  # seconds to wait for what must come


class Closed(Exception):
    """The server closed the connection in good order."""


class NothingCame(Exception):
    """The deadline passed."""


class WireClient:
    """One TCP connection. `version` decides the form of what is built and how the answers are read."""

    def __init__(self, port: int, version: int = 5, receive_buffer: int | None = None, host: str = "127.0.0.1"):
        self.version = version
        self.client_id: str | None = None
        self.inbox: list[Packet] = []
        self.referee = Referee(version)
        self._buffer, self._at = b"", 0  # bytes received, and how many of them are done with
        self._next_id = 0
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(DEADLINE)
        self.socket.connect((host, port))

    # ---- bytes

    def send(self, *packets: bytes) -> None:
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(b"".join(packets))

    def read(self, timeout: float = DEADLINE) -> Packet:
        """Next packet from the wire. Closed at the end of the stream; a reset is an error of its own."""
        deadline = time.monotonic() + timeout
        while True:
            end = mp.packet_end(self._buffer, self._at)
            if end is not None:
                raw, self._at = self._buffer[self._at : end], end
                packet = mp.parse(raw, self.version, from_server=True)
                self.referee.received(packet)
                return packet
            self._buffer, self._at = self._buffer[self._at :], 0
            left = deadline - time.monotonic()
            if left <= 0:
                raise NothingCame(f"nothing within {timeout} s, {len(self._buffer)} bytes of a packet here")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(262144)
            except TimeoutError:
                continue
            if not data:
                assert not self._buffer, f"closed in the middle of a packet: {self._buffer[:40].hex()}"
                raise Closed
            self._buffer += data

    def drop(self) -> None:
        """Ends the connection without a word."""
        self.socket.close()

    def reset(self) -> None:
        """Ends the connection with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # ---- waiting

    def next(self, timeout: float = DEADLINE) -> Packet:
        return self.inbox.pop(0) if self.inbox else self.read(timeout)

    def expect(self, type_: int, timeout: float = DEADLINE, **fields) -> Packet:
        """The very next packet, which must be of this type with these fields."""
        packet = self.next(timeout)
        assert packet.type == type_, f"{NAMES[type_]} expected, got {packet}"
        for name, value in fields.items():
            assert getattr(packet, name) == value, f"{name}={value!r} expected, got {packet}"
        return packet

    def wait_for(self, type_: int, packet_id: int | None = None, timeout: float = DEADLINE) -> Packet:
        """The next packet of this type (and id); others stay in the inbox in order."""
        def wanted(p):
            return p.type == type_ and packet_id in (None, p.packet_id)

        for index, packet in enumerate(self.inbox):
            if wanted(packet):
                return self.inbox.pop(index)
        deadline = time.monotonic() + timeout
        while True:
            packet = self.read(max(0.0, deadline - time.monotonic()))
            if wanted(packet):
                return packet
            assert packet.type != DISCONNECT, f"{NAMES[type_]} expected, got {packet}"
            self.inbox.append(packet)

    def expect_closed(self, timeout: float = DEADLINE) -> None:
        """End of the stream, with nothing before it."""
        assert not self.inbox, f"closed expected, got {self.inbox}"
        try:
            packet = self.read(timeout)
        except Closed:
            return
        raise AssertionError(f"closed expected, got {packet}")

    def expect_disconnect(self, *reasons: int, timeout: float = DEADLINE) -> Packet | None:
        """5.0: DISCONNECT with one of the reasons, then the end. 3.x: the end alone. Deliveries before are dropped."""
        packet = None
        if self.version == 5:
            self.inbox = [p for p in self.inbox if p.type == DISCONNECT]
            try:
                packet = self.next(timeout)
                while packet.type != DISCONNECT:
                    packet = self.next(timeout)
            except Closed:
                raise AssertionError("closed without a DISCONNECT") from None
            shown = [hex(r) for r in reasons]
            assert packet.reason in reasons, f"DISCONNECT with one of {shown} expected, got {packet}"
        self.expect_closed(timeout)
        return packet

    def ping(self, timeout: float = DEADLINE) -> None:
        """PINGREQ to PINGRESP: everything the server had to answer so far is in the inbox afterwards."""
        self.send(mp.pingreq())
        self.wait_for(PINGRESP, timeout=timeout)

    def settle(self, via: "WireClient") -> None:
        """Everything that `via` has sent so far and is for this client is in the inbox afterwards.

        A message through a topic of its own follows the others: from one publisher they arrive in order.
        """
        topic = f"sentinel/{id(self)}/{time.monotonic_ns()}"
        self.subscribe(topic)
        via.send_publish(topic, b"sentinel")
        deadline = time.monotonic() + DEADLINE
        while not (self.inbox and self.inbox[-1].topic == topic):
            self.inbox.append(self.read(deadline - time.monotonic()))
        self.inbox.pop()
        self.unsubscribe(topic)

    def expect_nothing(self, via: "WireClient | None" = None) -> None:
        """Nothing else arrives. `via`: a client whose earlier messages must all have passed."""
        if via is not None:
            self.settle(via)
        self.ping()
        assert not self.inbox, f"nothing expected, got {self.inbox}"

    # ---- packets

    def connect(self, client_id="", clean=True, expect=0, props=(), **fields) -> Packet:
        """CONNECT and its CONNACK. `expect`: the reason (return code) it must carry."""
        self.send_connect(client_id, clean=clean, props=props, **fields)
        connack = self.expect(CONNACK, reason=expect)
        assigned = connack.properties.get("assigned_client_id")
        self.client_id = assigned or client_id
        return connack

    def send_connect(self, client_id="", clean=True, props=(), **fields) -> None:
        self.referee.announced(props)
        self.send(mp.connect(client_id, self.version, clean, props=props, **fields))

    def packet_id(self) -> int:
        self._next_id = self._next_id % 65535 + 1
        return self._next_id

    def send_publish(self, topic, payload=b"", qos=0, retain=False, packet_id=None, props=(), **fields) -> int:
        """PUBLISH without waiting; returns the packet id used (0 for QoS 0)."""
        if qos and packet_id is None:
            packet_id = self.packet_id()
        self.send(mp.publish(topic, payload, qos, retain, packet_id, props, version=self.version, **fields))
        return packet_id or 0

    def publish(self, topic, payload=b"", qos=0, retain=False, props=(), **fields) -> Packet | None:
        """PUBLISH and the whole handshake; returns the first answer (PUBACK or PUBREC)."""
        packet_id = self.send_publish(topic, payload, qos, retain, props=props, **fields)
        if qos == 0:
            return None
        answer = self.wait_for(PUBACK if qos == 1 else PUBREC, packet_id)
        if qos == 2 and answer.reason < 0x80:
            self.send_ack(PUBREL, packet_id)
            self.wait_for(PUBCOMP, packet_id)
        return answer

    def send_ack(self, type_: int, packet_id: int, reason=0, props=None) -> None:
        self.referee.sent(type_, packet_id, reason)
        self.send(mp.ack(type_, packet_id, reason, props, self.version))

    def subscribe(self, *filters, qos=0, props=(), expect=None, **options) -> Packet:
        """SUBSCRIBE all filters with the same options; by default each must be granted at `qos`."""
        packet_id = self.packet_id()
        option = mp.options(qos, **options)
        self.send(mp.subscribe(packet_id, [(f, option) for f in filters], props, self.version))
        suback = self.wait_for(SUBACK, packet_id)
        wanted = [qos] * len(filters) if expect is None else expect
        assert suback.reasons == wanted, f"{[hex(r) for r in wanted]} expected, got {suback}"
        return suback

    def unsubscribe(self, *filters, props=()) -> Packet:
        packet_id = self.packet_id()
        self.send(mp.unsubscribe(packet_id, filters, props, self.version))
        return self.wait_for(UNSUBACK, packet_id)

    def disconnect(self, reason=0, props=None) -> None:
        """DISCONNECT, then waits for the server to close."""
        self.send(mp.disconnect(reason, props, self.version))
        while True:
            try:
                self.read()
            except Closed:
                break
        self.socket.close()

    # ---- receiving messages

    def message(self, topic=None, payload=None, timeout: float = DEADLINE, **fields) -> Packet:
        """The next packet, a PUBLISH; acknowledges it completely (QoS 2: through PUBCOMP)."""
        packet = self.unacknowledged_message(topic, payload, timeout, **fields)
        if packet.qos == 1:
            self.send_ack(PUBACK, packet.packet_id)
        elif packet.qos == 2:
            self.send_ack(PUBREC, packet.packet_id)
            assert self.wait_for(PUBREL, packet.packet_id).reason == 0
            self.send_ack(PUBCOMP, packet.packet_id)
        return packet

    def unacknowledged_message(self, topic=None, payload=None, timeout: float = DEADLINE, **fields) -> Packet:
        packet = self.expect(PUBLISH, timeout, **fields)
        assert topic in (None, packet.topic), f"topic {topic} expected, got {packet}"
        payload = payload.encode() if isinstance(payload, str) else payload
        assert payload in (None, packet.payload), f"payload {payload!r} expected, got {packet}"
        return packet

    def messages(self, count: int) -> list[Packet]:
        return [self.message() for _ in range(count)]
