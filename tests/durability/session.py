"""An MQTT client whose session outlives connections and brokers; driven by a loop, it never blocks.

It keeps the exact protocol state: unacknowledged messages with their packet ids on the way out (sent again with DUP),
QoS 2 packet ids on the way in, requests without an answer. Everything it sees goes to a recorder.
"""

from __future__ import annotations

import random
import socket
import time
from collections import deque

import history as h
import mqtt_packets as mp
from inbound import Inbound
from mqtt_packets import (
    CONNACK, DISCONNECT, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, Packet,
)
from outbound import Outbound

NEVER = 0xFFFFFFFF
RETRY = 0.02  # seconds between attempts to connect


class Session:
    def __init__(self, name: str, port: int, record, *, version: int = 5, persistent: bool = True, window: int = 16,
                 receive_maximum: int = 0, lazy: random.Random | None = None):
        """`lazy`: acknowledgements wait for random moments."""
        self.name, self.port, self.version, self.persistent = name, port, version, persistent
        self.receive_maximum = receive_maximum
        self._record = record
        self.outbound = Outbound(self, window)
        self.inbound = Inbound(self, lazy)
        self.requests: deque[tuple] = deque()  # (True, filter, qos) or (False, filter)
        self._asked: dict[int, tuple] = {}  # packet id -> request on this connection
        self.wanted = True
        self.socket: socket.socket | None = None
        self.accepted = False
        self.lost = False  # the broker has forgotten what it had promised to keep
        self._known = False
        self.refused_connects: list[int] = []
        self.refused_requests: list[tuple] = []
        self._pings = 0
        self._next_id = 0
        self._retry_at = 0.0

    # ---- what a test asks for

    def publish(self, message: h.Message, qos: int, retain: bool = False, size: int = 0) -> None:
        self.outbound.add(message, qos, retain, size)

    def subscribe(self, topic_filter: str, qos: int) -> None:
        self.requests.append((True, topic_filter, qos))

    def unsubscribe(self, topic_filter: str) -> None:
        self.requests.append((False, topic_filter))

    def leave(self, politely: bool = True) -> None:
        """Goes offline until `come`."""
        self.wanted = False
        if self.socket is None:
            return
        if politely and self.accepted:
            self.send(mp.disconnect(0, None, self.version))
        if self.socket is not None:
            self.record(h.LEFT)
            self._close()

    def come(self) -> None:
        self.wanted = True

    def ping(self) -> None:
        """Once it is idle again, the broker has read everything that was sent before."""
        if self.accepted:
            self._pings += 1
            self.send(mp.pingreq())

    def idle(self) -> bool:
        """Connected, and nothing waits for an answer or to be sent."""
        return self.accepted and not (self._pings or self.requests or self._asked or self.outbound.busy() or self.inbound.busy())

    def state(self) -> str:
        where = "connected" if self.accepted else "not connected"
        return (f"{self.name}: {where}, requests {list(self.requests)} {list(self._asked.values())}, "
                f"{self.outbound.state()}, {self.inbound.state()}")

    def record(self, what: str, message: h.Message | None = None, detail: object = None) -> None:
        self._record(self.name, what, message, detail)

    # ---- driving it

    def tick(self, now: float) -> None:
        if self.socket is None:
            if self.wanted and now >= self._retry_at:
                self._connect(now)
        elif self.accepted:
            self._ask()
            self.outbound.fill()
            self.inbound.flush(now)

    def readable(self) -> None:
        try:
            data = self.socket.recv(262144)
        except BlockingIOError:
            return
        except OSError as error:
            return self._lost(str(error))
        if not data:
            return self._lost("closed")
        self._buffer += data
        at = 0
        while (end := mp.packet_end(self._buffer, at)) is not None:
            packet = mp.parse(self._buffer[at:end], self.version, from_server=True)
            at = end
            self._handle(packet)
            if self.socket is None:
                return
        self._buffer = self._buffer[at:]
        self.inbound.flush(time.monotonic())

    def writable(self) -> None:
        self.send(b"")

    def send(self, data: bytes) -> None:
        """What the system does not take now is kept."""
        if self.socket is None:
            return
        self.unsent += data
        if not self.unsent:
            return
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent):]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lost(str(error))

    def packet_id(self) -> int:
        while True:
            self._next_id = self._next_id % 65535 + 1
            if self._next_id not in self._asked and not self.outbound.uses(self._next_id):
                return self._next_id

    # ---- connections

    def _connect(self, now: float) -> None:
        self._retry_at = now + RETRY
        self._buffer, self.unsent = b"", b""
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 1)
        except OSError:
            return
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        props = {}
        if self.version == 5 and self.persistent:
            props["session_expiry"] = NEVER
        if self.version == 5 and self.receive_maximum:
            props["receive_maximum"] = self.receive_maximum
        self.send(mp.connect(self.name, self.version, not self.persistent, keep_alive=0, props=props))

    def _close(self) -> None:
        self.socket.close()
        self.socket, self.accepted, self._pings = None, False, 0
        self.requests.extendleft(reversed(self._asked.values()))
        self._asked.clear()
        self.inbound.disconnected()
        self._retry_at = time.monotonic() + RETRY

    def _lost(self, why: str) -> None:
        self.record(h.GONE, detail=why)
        self._close()

    def _connected(self, packet: Packet) -> None:
        if packet.reason:
            self.refused_connects.append(packet.reason)
            self.record(h.TURNED_AWAY, detail=packet.reason)
            self._close()
            return
        self.record(h.CONNECTED, detail=packet.session_present if self.persistent else None)
        self.lost = self.lost or (self._known and self.persistent and not packet.session_present)
        self._known = self.accepted = True
        self.outbound.resume(packet.properties.get("receive_maximum", 65535))
        self.inbound.resume(packet.session_present)

    # ---- packets

    def _handle(self, packet: Packet) -> None:
        if packet.type == CONNACK:
            self._connected(packet)
        elif packet.type == PUBLISH:
            self.inbound.publish(packet)
        elif packet.type == PUBREL:
            self.inbound.released(packet)
        elif packet.type in (PUBACK, PUBREC, PUBCOMP):
            self.outbound.answered(packet)
        elif packet.type in (SUBACK, UNSUBACK):
            self._answered(packet)
        elif packet.type == DISCONNECT:
            self._lost(f"DISCONNECT {packet.reason:#x} {packet.properties.get('reason_string', '')}")
        elif packet.type == PINGRESP:
            self._pings -= 1
        else:
            self.record(h.FOUL, detail=f"unexpected {packet}")

    def _ask(self) -> None:
        """One request at a time: their order matters."""
        if self._asked or not self.requests:
            return
        request = self.requests.popleft()
        packet_id = self.packet_id()
        self._asked[packet_id] = request
        if request[0]:
            self.record(h.SUBSCRIBING, detail=request[1:])
            self.send(mp.subscribe(packet_id, [(request[1], mp.options(request[2]))], (), self.version))
        else:
            self.record(h.UNSUBSCRIBING, detail=request[1])
            self.send(mp.unsubscribe(packet_id, [request[1]], (), self.version))

    def _answered(self, packet: Packet) -> None:
        request = self._asked.pop(packet.packet_id, None)
        if request is None:
            self.record(h.FOUL, detail=f"answer to nothing: {packet}")
            return
        if request[0]:
            self.record(h.SUBSCRIBED, detail=(request[1], packet.reasons[0]))
        else:
            self.record(h.UNSUBSCRIBED, detail=request[1])
        if packet.reasons and packet.reasons[0] >= 0x80:
            self.refused_requests.append((request, packet.reasons[0]))
