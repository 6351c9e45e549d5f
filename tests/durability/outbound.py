"""Messages that a client publishes: from the application to the last acknowledgement, over many connections."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import history as h
import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBCOMP, PUBREC, PUBREL, Packet


@dataclass
class Outgoing:
    message: h.Message
    qos: int
    retain: bool
    size: int
    released: bool = False  # PUBREC came: only PUBREL is sent again


class Outbound:
    def __init__(self, session, window: int):
        self._session = session
        self._window = self._limit = window
        self._waiting: deque[Outgoing] = deque()
        self._inflight: dict[int, Outgoing] = {}  # packet id -> message, in the order of sending
        self.acked = self.refused = 0

    def add(self, message: h.Message, qos: int, retain: bool, size: int) -> None:
        self._waiting.append(Outgoing(message, qos, retain, size))

    def busy(self) -> bool:
        return bool(self._waiting or self._inflight)

    def backlog(self) -> int:
        return len(self._waiting)

    def uses(self, packet_id: int) -> bool:
        return packet_id in self._inflight

    def state(self) -> str:
        unanswered = [(number, "released" if each.released else "sent", str(each.message))
                      for number, each in list(self._inflight.items())[:3]]
        return f"out: {len(self._waiting)} waiting, {len(self._inflight)} in flight {unanswered}"

    def fill(self) -> None:
        """Sends what the window has room for."""
        while self._waiting and len(self._inflight) < self._limit:
            out = self._waiting.popleft()
            packet_id = self._session.packet_id() if out.qos else 0
            if out.qos:
                self._inflight[packet_id] = out
            self._session.record(h.SENT, out.message, (out.qos, out.retain))
            self._send(packet_id, out, dup=False)

    def resume(self, receive_maximum: int) -> None:
        """Sends again what has no answer yet, in the old order."""
        self._limit = min(self._window, receive_maximum)
        for packet_id, out in list(self._inflight.items()):
            if out.released:
                self._ack(PUBREL, packet_id)
            else:
                self._session.record(h.RESENT, out.message)
                self._send(packet_id, out, dup=True)

    def answered(self, packet: Packet) -> None:
        out = self._inflight.get(packet.packet_id)
        if out is None:
            if packet.type == PUBREC:
                self._ack(PUBREL, packet.packet_id, 0x92)
            return
        if packet.type == (PUBACK if out.qos == 1 else PUBREC) and packet.reason >= 0x80:
            self._session.record(h.REFUSED, out.message, (packet.reason, packet.properties.get("reason_string", "")))
            self.refused += 1
            del self._inflight[packet.packet_id]
        elif packet.type == PUBACK and out.qos == 1:
            self._session.record(h.ACKED, out.message)
            self._complete(packet.packet_id)
        elif packet.type == PUBREC and out.qos == 2:
            if not out.released:
                self._session.record(h.ACKED, out.message)
            out.released = True
            self._ack(PUBREL, packet.packet_id)
        elif packet.type == PUBCOMP and out.released:
            self._complete(packet.packet_id)
        else:
            self._session.record(h.FOUL, out.message, f"the wrong answer: {packet}")

    def _complete(self, packet_id: int) -> None:
        self.acked += 1
        self._session.record(h.COMPLETED, self._inflight.pop(packet_id).message)

    def _send(self, packet_id: int, out: Outgoing, dup: bool) -> None:
        self._session.send(mp.publish(out.message.topic, out.message.payload(out.size), out.qos, out.retain,
                                      packet_id or None, dup=dup, version=self._session.version))

    def _ack(self, type_: int, packet_id: int, reason: int = 0) -> None:
        self._session.send(mp.ack(type_, packet_id, reason, None, self._session.version))
