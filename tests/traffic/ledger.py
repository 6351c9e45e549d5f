"""What was published, and what each receiver is still to get of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from content import MARK, Message, difference, named


class Wrong(AssertionError):
    """A delivery that should not be as it is."""


def matches(topic_filter: str, topic: str) -> bool:
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index == len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


class Ledger:
    """All messages of one test. Tells receivers at once what they are to get."""

    def __init__(self):
        self.receivings: list[Receiving] = []
        self.groups: dict[str, set] = {}  # shared filter -> keys of messages that no member has got yet
        self._members: dict[str, tuple[str, int]] = {}  # shared filter -> filter, QoS
        self._messages: dict[tuple[int, int], Message] = {}
        self._small: dict[str, Message] = {}
        self._numbers: dict[int, int] = {}

    def author(self) -> int:
        """A new name to publish under."""
        self._numbers[len(self._numbers) + 1] = 0
        return len(self._numbers)

    def message(self, author: int, topic: str, size: int, qos: int, retain: bool = False,
                props: dict | None = None) -> Message:
        """Makes the author's next message. It is expected nowhere before `expect`."""
        self._numbers[author] += 1
        made = Message(author, self._numbers[author], topic, size, qos, retain, props or {})
        self._messages[author, made.number] = made
        if named(made.payload()) is None:
            self._small[topic] = made
        return made

    def expect(self, message: Message) -> None:
        """From now on it is under way: receivers whose subscriptions match it must get it."""
        message.sent_at = time.monotonic()
        for each in self.receivings:
            each.expect(message)
        for shared, (topic_filter, _) in self._members.items():
            if matches(topic_filter, message.topic):
                self.groups[shared].add((message.author, message.number))

    def share(self, shared: str, qos: int) -> None:
        self.groups.setdefault(shared, set())
        self._members[shared] = (shared.split("/", 2)[2], qos)

    def message_of(self, topic: str, payload: bytes) -> Message:
        """The message that was published with exactly these bytes to this topic."""
        name = named(payload)
        message = self._messages.get(name) if name else self._small.get(topic)
        if message is None:
            at = payload.find(MARK)
            seen = f"; {named(payload[at:])} (author, number) has its head at byte {at}" if at >= 0 else ""
            raise Wrong(f"{len(payload)} bytes that nobody sent to {topic}: {payload[:40].hex()}{seen}")
        if message.topic != topic:
            raise Wrong(f"a message to {topic} carries the payload of {message}")
        if payload != message.payload():
            raise Wrong(f"{message} arrived with a changed payload: {difference(payload, message)}")
        return message

    def outstanding(self) -> int:
        return sum(len(each.due) for each in self.receivings) + sum(len(each) for each in self.groups.values())


@dataclass
class Subscription:
    topic_filter: str
    qos: int
    rap: bool = False
    identifier: int = 0


class Receiving:
    """The receiving side of one client over all its connections: judges each delivery.

    lossy: QoS 0 may be missing, for the client does not always read or is not always there.
    """

    def __init__(self, ledger: Ledger, name: str, version: int, lossy: bool = False):
        self.ledger, self.name, self.version, self.lossy = ledger, name, version, lossy
        self.subscriptions: dict[str, Subscription] = {}
        self.due: set[tuple[int, int]] = set()
        self.replays: set[tuple[int, int]] = set()  # retained messages that a new subscription is still to bring
        self.taken: dict[tuple[int, int], int] = {}
        self._last: dict[tuple, int] = {}
        ledger.receivings.append(self)

    def subscribed(self, *subscriptions: Subscription) -> None:
        for each in subscriptions:
            self.subscriptions[each.topic_filter] = each
            if each.topic_filter.startswith("$share/"):
                self.ledger.share(each.topic_filter, each.qos)

    def unsubscribed(self, topic_filter: str) -> None:
        del self.subscriptions[topic_filter]

    def expect(self, message: Message) -> None:
        direct = self._direct(message.topic)
        if direct and not (self.lossy and min(message.qos, max(each.qos for each in direct)) == 0):
            self.due.add((message.author, message.number))

    def replay(self, message: Message) -> None:
        """A subscription that is about to be made will bring this retained message."""
        self.replays.add((message.author, message.number))

    def take(self, packet) -> None:
        """A PUBLISH has come (its topic alias resolved). A QoS 2 message is shown here once only."""
        try:
            message = self.ledger.message_of(packet.topic, packet.payload)
            key = (message.author, message.number)
            if packet.retain and key in self.replays:
                self._replayed(packet, message)
            else:
                self._live(packet, message)
            self._properties(packet, message)
        except Wrong as wrong:
            raise Wrong(f"{self.name}: {wrong}\n{packet}") from None

    # ---- leaves

    def _direct(self, topic: str) -> list[Subscription]:
        return [each for each in self.subscriptions.values()
                if not each.topic_filter.startswith("$share/") and matches(each.topic_filter, topic)]

    def _shared(self, topic: str) -> list[Subscription]:
        return [each for each in self.subscriptions.values()
                if each.topic_filter.startswith("$share/") and matches(each.topic_filter.split("/", 2)[2], topic)]

    def _replayed(self, packet, message: Message) -> None:
        self.replays.discard((message.author, message.number))
        self._fits(packet, message, self._direct(message.topic), True)

    def _live(self, packet, message: Message) -> None:
        key = (message.author, message.number)
        direct, shared = self._direct(message.topic), self._shared(message.topic)
        if direct:
            rap = any(each.rap for each in direct)
            self._fits(packet, message, direct, message.retain and rap)
        elif shared:
            self._fits(packet, message, shared, message.retain and shared[0].rap)
        else:
            raise Wrong(f"{message} although no subscription matches it")
        if key in self.taken:
            self.taken[key] += 1
            if (packet.qos == 1 and packet.dup) or (message.qos == 1 and message.resent):
                return
            raise Wrong(f"{message} for the {self.taken[key]}th time")
        self.taken[key] = 1
        self.due.discard(key)
        for each in shared:
            group = self.ledger.groups[each.topic_filter]
            if key not in group:
                raise Wrong(f"{message}, which another member of {each.topic_filter} has got")
            group.discard(key)
        if message.resent and self.lossy and packet.qos == 0:
            return  # perhaps it was sent in its turn, and missed
        stream = (message.author, message.qos, packet.qos)
        if self._last.get(stream, 0) >= message.number:
            raise Wrong(f"{message} after number {self._last[stream]}")
        self._last[stream] = message.number

    def _fits(self, packet, message: Message, subscriptions: list[Subscription], retain: bool) -> None:
        qos = min(message.qos, max(each.qos for each in subscriptions))
        if packet.qos != qos:
            raise Wrong(f"{message} at QoS {packet.qos} instead of {qos}")
        if packet.retain != retain:
            raise Wrong(f"{message} with retain={packet.retain}")
        wanted = sorted(each.identifier for each in subscriptions if each.identifier)
        found = packet.properties.get("subscription_id", [])
        if sorted(found) != (wanted if self.version == 5 else []):
            raise Wrong(f"{message} with the identifiers {found} instead of {wanted}")

    def _properties(self, packet, message: Message) -> None:
        found = {name: value for name, value in packet.properties.items()
                 if name not in ("subscription_id", "topic_alias")}
        wanted = dict(message.props) if self.version == 5 else {}
        if "message_expiry" in wanted and "message_expiry" in found:
            left, age = found.pop("message_expiry"), time.monotonic() - message.sent_at
            most = wanted.pop("message_expiry")
            if not most - age - 2 <= left <= most:
                raise Wrong(f"{message} with {left} s of {most} s left after {age} s")
        if found != wanted:
            raise Wrong(f"{message} with the properties {found} instead of {wanted}")
