"""Messages that a client receives: what its application sees after the rules for DUP and packet ids."""

from __future__ import annotations

import random
import time

import history as h
import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBCOMP, PUBREC, Packet


class Inbound:
    def __init__(self, session, lazy: random.Random | None):
        self._session = session
        self._lazy = lazy
        self._held: dict[int, h.Message] = {}  # QoS 2 packet ids until PUBREL; outlives connections
        self._open: set[int] = set()  # packet ids that are not completely acknowledged on this connection
        self._acks: list[tuple[int, int]] = []  # (type, packet id) not sent yet
        self._flush_at = 0.0
        self.got: dict[str, int] = {}  # topic -> greatest number seen
        self.last_at = 0.0

    def busy(self) -> bool:
        return bool(self._held or self._acks)

    def state(self) -> str:
        return f"in: {len(self._held)} wait for PUBREL {list(self._held)[:5]}, {len(self._acks)} acks not sent"

    def disconnected(self) -> None:
        self._acks.clear()
        self._open.clear()

    def resume(self, present: bool) -> None:
        if not present:
            self._held.clear()

    def publish(self, packet: Packet) -> None:
        message = h.Message.parse(packet.topic, packet.payload)
        if packet.qos:
            if packet.packet_id in self._open:
                self._foul(message, f"packet id {packet.packet_id} is in use")
            self._open.add(packet.packet_id)
            if self._session.receive_maximum and len(self._open) > self._session.receive_maximum:
                self._foul(message, f"{len(self._open)} messages beyond Receive Maximum")
        if packet.qos == 2 and packet.packet_id in self._held:
            if not packet.dup:
                self._foul(message, f"packet id {packet.packet_id} again without DUP")
            if self._held[packet.packet_id] != message:
                self._foul(message, f"packet id {packet.packet_id} still belongs to {self._held[packet.packet_id]}")
            self._later(PUBREC, packet.packet_id)
            return
        self._deliver(message, packet)
        if packet.qos == 2:
            self._held[packet.packet_id] = message
        if packet.qos:
            self._later(PUBACK if packet.qos == 1 else PUBREC, packet.packet_id)

    def released(self, packet: Packet) -> None:
        """One that is not known was completed before, and its PUBCOMP was lost with the broker."""
        self._held.pop(packet.packet_id, None)
        self._open.add(packet.packet_id)
        self._later(PUBCOMP, packet.packet_id)

    def flush(self, now: float) -> None:
        if not self._acks or now < self._flush_at:
            return
        acks, self._acks = self._acks, []
        for type_, packet_id in acks:
            if type_ != PUBREC:
                self._open.discard(packet_id)
        self._session.send(b"".join(mp.ack(type_, number, 0, None, self._session.version) for type_, number in acks))

    def _later(self, type_: int, packet_id: int) -> None:
        if not self._acks and self._lazy:
            self._flush_at = time.monotonic() + self._lazy.choice((0, 0, 0.01, 0.1))
        self._acks.append((type_, packet_id))

    def _deliver(self, message: h.Message, packet: Packet) -> None:
        self.last_at = time.monotonic()
        self.got[message.topic] = max(message.number, self.got.get(message.topic, 0))
        self._session.record(h.GOT, message, (packet.qos, packet.dup, packet.retain, packet.packet_id))

    def _foul(self, message: h.Message, what: str) -> None:
        self._session.record(h.FOUL, message, what)
