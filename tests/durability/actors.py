"""What makes sessions do things: publishers at a pace, subscribers that come and go, filters that come and go."""

from __future__ import annotations

import random
import time

import history as h
import mqtt_packets as mp
from broker import TIME_FACTOR
from mqtt_packets import PUBLISH, SUBACK
from session import Session


class Pacer:
    """Publishes numbered messages to some topics in turn until it is stopped."""

    def __init__(self, session: Session, topics: list[str], qos: int, rate: float, *, retain: bool = False,
                 size: int = 0):
        self.session, self.topics, self.qos, self.retain, self.size = session, topics, qos, retain, size
        self._gap = 1.0 / rate
        self._next_at = 0.0
        self.numbers = dict.fromkeys(topics, 0)
        self._turn = 0
        self.active = False

    def tick(self, now: float) -> None:
        if not self.active or self.session.outbound.backlog():
            return
        self._next_at = max(self._next_at, now - 0.05)  # after a stall it does not catch up
        while self._next_at <= now:
            self._next_at += self._gap
            self.one(self.topics[self._turn % len(self.topics)])
            self._turn += 1

    def one(self, topic: str) -> None:
        self.numbers[topic] += 1
        message = h.Message(self.session.name, topic, self.numbers[topic])
        self.session.publish(message, self.qos, self.retain, self.size)


class Roamer:
    """Takes a session offline and back again at random moments."""

    def __init__(self, session: Session, chance: random.Random):
        self._session, self._chance = session, chance
        self._next_at = 0.0
        self.active = False

    def tick(self, now: float) -> None:
        if not self.active:
            self._session.come()
        elif now >= self._next_at:
            self._next_at = now + self._chance.uniform(0.05, 1.2)
            if self._session.wanted:
                self._session.leave(politely=self._chance.random() < 0.5)
            else:
                self._session.come()


class Toggler:
    """Subscribes to filters and unsubscribes from them at random moments; they do not overlap."""

    def __init__(self, session: Session, filters: list[str], qos: int, chance: random.Random):
        self._session, self._qos, self._chance = session, qos, chance
        self._on = dict.fromkeys(filters, False)
        self._next_at = 0.0
        self.active = False

    def tick(self, now: float) -> None:
        if not self.active or now < self._next_at or self._session.requests:
            return
        self._next_at = now + self._chance.uniform(0.01, 0.3)
        chosen = self._chance.choice(list(self._on))
        self._on[chosen] = not self._on[chosen]
        if self._on[chosen]:
            self._session.subscribe(chosen, self._qos)
        else:
            self._session.unsubscribe(chosen)

    def wanted(self) -> list[str]:
        return [name for name, on in self._on.items() if on]


class RetainedReader(Session):
    """Subscribes on every connection as a new client and notes the retained messages; then it goes, and comes again.

    It stays until each of `due` was seen or `patience` is over. A message that is published at the very moment may
    come in its ordinary form instead.
    """

    MOMENT = 0.3 * TIME_FACTOR  # after SUBACK, seconds

    def __init__(self, name: str, port: int, record, topic_filter: str, due: list[str], *, patience: float,
                 version: int = 5):
        super().__init__(name, port, record, version=version, persistent=False)
        self._filter, self._due, self._patience = topic_filter, due, patience
        self._missing: set[str] = set()
        self._began = self._answered_at = 0.0
        self.rounds = 0

    def _connected(self, packet) -> None:
        super()._connected(packet)
        if self.accepted:
            self._missing = set(self._due)
            self._began, self._answered_at = time.monotonic(), float("inf")
            self.record(h.READING, detail=tuple(self._due))
            self.send(mp.subscribe(1, [(self._filter, mp.options(1))], (), self.version))

    def _handle(self, packet) -> None:
        if packet.type == PUBLISH:
            if packet.retain or time.monotonic() < self._answered_at + self.MOMENT:
                self.record(h.RETAINED, h.Message.parse(packet.topic, packet.payload))
                self._missing.discard(packet.topic)
        elif packet.type == SUBACK:
            self._answered_at = time.monotonic()
        else:
            super()._handle(packet)

    def tick(self, now: float) -> None:
        super().tick(now)
        if self.accepted and (not self._missing or now > self._began + self._patience):
            self.record(h.READ)
            self.rounds += 1
            self.lost = self.lost or bool(self._missing)
            self._close()
            self._retry_at = now + 0.1
