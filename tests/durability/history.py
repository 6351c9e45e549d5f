"""What happened in a run: one list of events of all clients and the broker, on one clock."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

# What an event can be. Of publishers:
SENT = "sent"  # detail: (qos, retain); the first time
RESENT = "resent"
ACKED = "acked"  # PUBACK or PUBREC: the broker has taken it over
COMPLETED = "completed"  # PUBACK or PUBCOMP
REFUSED = "refused"  # detail: (reason code, reason string)
# Of sessions:
CONNECTED = "connected"  # detail: session present
TURNED_AWAY = "turned away"  # detail: reason code of CONNACK
GONE = "gone"  # the connection ended; detail: why
LEFT = "left"  # the client ended it
SUBSCRIBING = "subscribing"  # detail: (filter, qos)
SUBSCRIBED = "subscribed"  # detail: (filter, granted qos or reason code)
UNSUBSCRIBING = "unsubscribing"  # detail: filter
UNSUBSCRIBED = "unsubscribed"  # detail: filter
GOT = "got"  # detail: (qos, dup, retain, packet id); what the application saw
FOUL = "foul"  # detail: what the broker did against the protocol
# Of readers of retained messages:
READING = "reading"  # detail: tuple of the topics that must be there
RETAINED = "retained"
READ = "read"
# Of the broker:
STARTED, KILLED, STOPPED = "started", "killed", "stopped"
BROKER = "broker"


class Message(NamedTuple):
    """One application message; it travels as its payload."""

    publisher: str
    topic: str
    number: int

    def payload(self, size: int = 0) -> bytes:
        return f"{self.publisher}|{self.number}|".encode().ljust(size, b".")

    @staticmethod
    def parse(topic: str, payload: bytes) -> "Message":
        """Whatever arrives becomes a message; one that nobody sent is found by the checker."""
        parts = payload.split(b"|", 2)
        if len(parts) == 3 and parts[1].isdigit():
            return Message(parts[0].decode(errors="replace"), topic, int(parts[1]))
        return Message(f"unreadable: {payload[:40]!r}", topic, 0)

    def __str__(self) -> str:
        return f"{self.topic} #{self.number} of {self.publisher}"


class Event(NamedTuple):
    at: float  # seconds, a clock that all processes of the machine share
    client: str
    what: str
    message: Message | None = None
    detail: object = None

    def line(self, since: float) -> str:
        parts = [f"{self.at - since:9.4f}", f"{self.client:8}", self.what]
        parts += [str(self.message)] if self.message else []
        parts += [repr(self.detail)] if self.detail is not None else []
        return "  ".join(parts)


class Recorder:
    """Where the clients of one process write down what they see."""

    def __init__(self):
        self.events: list[Event] = []

    def __call__(self, client: str, what: str, message: Message | None = None, detail: object = None) -> None:
        self.events.append(Event(time.monotonic(), client, what, message, detail))

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps([tuple(each) for each in self.events]))


def load(path: Path) -> list[Event]:
    def message(found):
        return Message(*found) if found else None

    return [Event(at, client, what, message(about), detail)
            for at, client, what, about, detail in pickle.loads(path.read_bytes())]


def merged(*lists: Iterable[Event]) -> list[Event]:
    """In the order of time; equal times keep the order of each list."""
    return sorted((each for events in lists for each in events), key=lambda each: each.at)


def about(events: list[Event], message: Message | None, clients: set[str]) -> list[Event]:
    """The story of one message, with the connections of the clients concerned and the broker's ends and starts."""
    own = {CONNECTED, GONE, LEFT, TURNED_AWAY, SUBSCRIBING, SUBSCRIBED, UNSUBSCRIBING, UNSUBSCRIBED, FOUL, READING,
           READ}
    times = [each.at for each in events if message and each.message == message]
    first = min(times, default=0.0) - 1.0
    last = max(times, default=float("inf")) + 3.0
    return [each for each in events
            if (message and each.message == message)
            or (first <= each.at <= last
                and (each.client == BROKER or (each.client in clients and each.what in own)))]
