"""Judges a history: what was promised to whom, and what came.

A message must arrive where a subscription was in force (acknowledged, its end not yet asked for) from the first time
it was sent until it was completed. It may arrive where a subscription could have been in force for some of that time,
or came so shortly afterwards that the message was still on its way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import history as h
from history import Event, Message

# What can be wrong with a history.
MISSING = "acknowledged but missing"
DUPLICATE = "QoS 2 message delivered twice"
DISORDER = "wrong order"
UNASKED = "delivered without a subscription"
INVENTED = "never sent"
WRONG_QOS = "delivered with another QoS"
LOST_SESSION = "session lost"
LOST_RETAINED = "retained message lost"
FOUL = "against the protocol"
UNFINISHED = "never acknowledged"
REFUSED = "refused"


ON_ITS_WAY = 0.5  # seconds


@dataclass
class Fault:
    kind: str
    client: str
    text: str
    message: Message | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.client}: {self.message or ''} {self.text}".rstrip()


@dataclass
class Published:
    qos: int
    retain: bool
    sent: float
    acked: float | None = None
    completed: float | None = None
    refused: float | None = None


@dataclass
class Span:
    """One life of a subscription. It may be in force from `asked` to `ended`, it is from `begun` to `ending`."""

    filter: str
    asked: float
    qos: int = 0
    begun: float = float("inf")
    ending: float = float("inf")
    ended: float = float("inf")


@dataclass
class Receiver:
    """A session, or all sessions of a shared subscription."""

    name: str
    spans: list[Span] = field(default_factory=list)
    got: list[tuple[Message, int, bool]] = field(default_factory=list)  # message, qos, retain
    shared: bool = False


def matches(topic_filter: str, topic: str) -> bool:
    """`$share/group/` is no part of the filter here."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


def shared_group(topic_filter: str) -> tuple[str, str]:
    """The group of a shared subscription (or nothing), and the filter proper."""
    if not topic_filter.startswith("$share/"):
        return "", topic_filter
    _, group, rest = topic_filter.split("/", 2)
    return f"$share/{group}", rest


def published(events: list[Event]) -> dict[Message, Published]:
    found: dict[Message, Published] = {}
    for each in events:
        if each.what == h.SENT:
            found[each.message] = Published(*each.detail, each.at)
        elif each.what == h.ACKED and found[each.message].acked is None:
            found[each.message].acked = each.at
        elif each.what == h.COMPLETED:
            found[each.message].completed = each.at
        elif each.what == h.REFUSED:
            found[each.message].refused = each.at
    return found


def receivers(events: list[Event]) -> list[Receiver]:
    """Sessions with their subscriptions and deliveries; a shared group counts as one of its own.

    A client with a shared subscription has no other one: the group's deliveries are all that its members got.
    """
    found: dict[str, Receiver] = {}
    group_of: dict[str, str] = {}
    for each in events:
        if each.what == h.SUBSCRIBING and (group := shared_group(each.detail[0])[0]):
            group_of[each.client] = group
    for each in events:
        name = group_of.get(each.client, each.client)
        receiver = found.setdefault(name, Receiver(name, shared=name != each.client))
        if each.what == h.GOT:
            receiver.got.append((each.message, each.detail[0], each.detail[2]))
        elif each.what in (h.SUBSCRIBING, h.SUBSCRIBED, h.UNSUBSCRIBING, h.UNSUBSCRIBED):
            _subscription(receiver, each)
    return [each for each in found.values() if each.spans or each.got]


def _subscription(receiver: Receiver, event: Event) -> None:
    text = event.detail if isinstance(event.detail, str) else event.detail[0]
    name = shared_group(text)[1]
    live = next((span for span in receiver.spans if span.filter == name and span.ended == float("inf")), None)
    if event.what == h.SUBSCRIBING and live is None:
        receiver.spans.append(Span(name, event.at))
    elif event.what == h.SUBSCRIBED and live and live.begun == float("inf"):
        if event.detail[1] < 0x80:
            live.begun, live.qos = event.at, event.detail[1]
        else:
            receiver.spans.remove(live)
    elif event.what == h.UNSUBSCRIBING and live and live.ending == float("inf"):
        live.ending = event.at
    elif event.what == h.UNSUBSCRIBED and live:
        live.ended = event.at


class Checker:
    def __init__(self, events: list[Event]):
        self.events = events
        self.messages = published(events)
        self.by_topic: dict[str, list[Message]] = defaultdict(list)
        for message in self.messages:
            self.by_topic[message.topic].append(message)
        self.faults: list[Fault] = []

    def all(self) -> list[Fault]:
        for receiver in receivers(self.events):
            topics = {topic: [span for span in receiver.spans if matches(span.filter, topic)]
                      for topic in set(self.by_topic) | {message.topic for message, _, _ in receiver.got}}
            self._missing(receiver, topics)
            self._deliveries(receiver, topics)
            if not receiver.shared:
                self._order(receiver)
        self._sessions()
        self._retained()
        self._answers()
        return self.faults

    def _fault(self, kind: str, client: str, text: str = "", message: Message | None = None) -> None:
        self.faults.append(Fault(kind, client, text, message))

    def _missing(self, receiver: Receiver, topics: dict[str, list[Span]]) -> None:
        got = {message for message, _, _ in receiver.got}
        for topic, spans in topics.items():
            for message in self.by_topic.get(topic, ()):
                about = self.messages[message]
                if about.acked is None or message in got:
                    continue
                done = about.completed or float("inf")
                if any(span.begun <= about.sent and done <= span.ending for span in spans):
                    self._fault(MISSING, receiver.name, f"QoS {about.qos}", message)

    def _deliveries(self, receiver: Receiver, topics: dict[str, list[Span]]) -> None:
        counts = Counter(message for message, _, _ in receiver.got)
        for (message, qos, retain) in dict.fromkeys(receiver.got):
            about = self.messages.get(message)
            if about is None:
                self._fault(INVENTED, receiver.name, "", message)
                continue
            done = about.completed or about.refused or float("inf")
            possible = [span for span in topics[message.topic]
                        if span.asked <= done + ON_ITS_WAY and about.sent <= span.ended]
            if not possible:
                self._fault(UNASKED, receiver.name, "", message)
                continue
            granted = {min(about.qos, span.qos) for span in possible if span.begun < float("inf")}
            if granted and qos not in granted:
                self._fault(WRONG_QOS, receiver.name, f"with {qos}, granted {granted}", message)
            if granted == {2} and counts[message] > 1:
                self._fault(DUPLICATE, receiver.name, f"{counts[message]} times", message)

    def _order(self, receiver: Receiver) -> None:
        newest: dict[tuple, Message] = {}
        seen: set[Message] = set()
        for message, _, _ in receiver.got:
            if message in seen or message not in self.messages:
                continue
            seen.add(message)
            key = (message.publisher, message.topic, self.messages[message].qos)
            before = newest.get(key)
            if before and before.number > message.number:
                self._fault(DISORDER, receiver.name, f"after #{before.number}", message)
            else:
                newest[key] = message

    def _sessions(self) -> None:
        known: set[str] = set()
        for each in self.events:
            if each.what == h.CONNECTED:
                if each.client in known and each.detail is False:
                    self._fault(LOST_SESSION, each.client, f"at {each.at:.4f}")
                known.add(each.client)
            elif each.what == h.FOUL:
                self._fault(FOUL, each.client, str(each.detail), each.message)

    def _retained(self) -> None:
        """A reader sees the last acknowledged value of a topic or a later one."""
        started: dict[str, Event] = {}
        seen: dict[str, dict[str, Message]] = defaultdict(dict)
        for each in self.events:
            if each.what == h.READING:
                started[each.client], seen[each.client] = each, {}
            elif each.what == h.RETAINED:
                seen[each.client][each.message.topic] = each.message
                self._retained_value(each, started[each.client])
            elif each.what == h.READ:
                for topic in started[each.client].detail:
                    if topic not in seen[each.client]:
                        self._fault(LOST_RETAINED, each.client, f"nothing on {topic} at {each.at:.4f}")

    def _retained_value(self, event: Event, started: Event) -> None:
        if event.message not in self.messages:
            return self._fault(INVENTED, event.client, "retained", event.message)
        due = [message.number for message in self.by_topic[event.message.topic]
               if (acked := self.messages[message].acked) and acked < started.at]
        if event.message.number < max(due, default=0):
            self._fault(LOST_RETAINED, event.client, f"#{max(due)} was acknowledged before", event.message)

    def _answers(self) -> None:
        for message, about in self.messages.items():
            if about.refused:
                self._fault(REFUSED, message.publisher, "", message)
            elif about.qos and about.completed is None:
                self._fault(UNFINISHED, message.publisher, f"QoS {about.qos}", message)


def check(events: list[Event]) -> list[Fault]:
    return Checker(events).all()


def report(events: list[Event], faults: list[Fault], limit: int = 3) -> str:
    """All kinds with their counts, some of each, and the stories of the first few."""
    since = events[0].at if events else 0.0
    counts = Counter(fault.kind for fault in faults)
    lines = [f"{count} x {kind}" for kind, count in counts.items()]
    for kind in counts:
        lines += [f"  {fault}" for fault in [each for each in faults if each.kind == kind][:10]]
    for kind in list(counts)[:limit]:
        fault = next(each for each in faults if each.kind == kind)
        members = {each.client for each in events
                   if each.what == h.SUBSCRIBING and shared_group(each.detail[0])[0] == fault.client}
        clients = {fault.client, fault.message.publisher if fault.message else ""} | members
        lines += [f"story of: {fault}", *(each.line(since) for each in h.about(events, fault.message, clients)[:80])]
    return "\n".join(lines)
