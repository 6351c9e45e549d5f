"""Subscriptions: of one client, of many."""

from __future__ import annotations

import itertools

import mqtt_packets as mp
from bulk import exchange, packets_of
from structure import ACK, SUBACK_100, Structure, hundreds, published, subscribed, unsubscribed


def topics_and_filters(size: int) -> tuple[list[str], list[str]]:
    """Half of the filters have a wildcard. Each topic matches one."""
    topics = [f"subs/{i % 100:02}/{i:06}/x" for i in range(size)]
    return topics, [topic[:-1] + "+" if i % 2 else topic for i, topic in enumerate(topics)]


class SubscriptionsOfOne(Structure):
    """One client with many filters."""

    phases = ("grow", "use", "shrink", "grow", "leave")

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.subscriber = self.client("subscriber", clean=False)

    def grow(self, size: int) -> None:
        packets_of(mp.SUBACK, SUBACK_100, self.subscriber.exchange(
            subscribed(topics_and_filters(size)[1]), size // 100 * SUBACK_100), size // 100)

    def use(self, size: int) -> None:
        topics, _ = topics_and_filters(size)
        messages = published(topics, 0)
        _, got = exchange([(self.publisher, messages, 0), (self.subscriber, b"", len(messages))])
        packets_of(mp.PUBLISH, len(messages) // size, got, size)

    def shrink(self, size: int) -> None:
        packets_of(mp.UNSUBACK, ACK, self.subscriber.exchange(
            unsubscribed(topics_and_filters(size)[1]), size // 100 * ACK), size // 100)

    def leave(self, size: int) -> None:
        """The session ends, and all its subscriptions with it."""
        self.subscriber.leave()
        self.client("subscriber").leave()
        self.subscriber = self.client("subscriber", clean=False)

    def close(self) -> None:
        self.publisher.close()
        self.subscriber.close()


class SubscriptionsOfMany(Structure):
    """Clients with 100 filters each."""

    phases = ("grow", "use", "shrink", "grow", "leave")

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.clients = []

    def grow(self, size: int) -> None:
        _, filters = topics_and_filters(size)
        if not self.clients:
            self.clients = [self.client(f"subscriber-{i}") for i in range(size // 100)]
        jobs = [(client, subscribed(part), SUBACK_100) for client, part in zip(self.clients, hundreds(filters))]
        for got in exchange(jobs):
            packets_of(mp.SUBACK, SUBACK_100, got, 1)

    def use(self, size: int) -> None:
        topics, _ = topics_and_filters(size)
        messages = published(topics, 0)
        jobs = [(client, b"", len(messages) // size * 100) for client in self.clients]
        for got in exchange([*jobs, (self.publisher, messages, 0)])[:-1]:
            packets_of(mp.PUBLISH, len(messages) // size, got, 100)

    def shrink(self, size: int) -> None:
        _, filters = topics_and_filters(size)
        for got in exchange([(client, unsubscribed(part), ACK) for client, part in zip(self.clients, hundreds(filters))]):
            packets_of(mp.UNSUBACK, ACK, got, 1)

    def leave(self, size: int) -> None:
        """All connections are lost in the same moment."""
        before = self.broker.connections()
        for client in self.clients:
            client.close()
        self.broker.wait_for_connections(before - len(self.clients))
        self.clients = []

    def close(self) -> None:
        self.publisher.close()


class GroupsOfOne(Structure):
    """One client in many shared groups of one topic: each message goes to it once for each of them. It leaves with more in
    its queue than it has read."""

    phases = ("grow", "use", "queue", "leave")
    MESSAGES = 3

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.member = self.client("member")

    def grow(self, size: int) -> None:
        filters = [f"$share/group-{i:06}/groups" for i in range(size)]
        packets_of(mp.SUBACK, SUBACK_100, self.member.exchange(subscribed(filters, 1), size // 100 * SUBACK_100),
                   size // 100)

    def use(self, size: int) -> int:
        messages = [mp.publish("groups", b"message %d" % i, version=4) for i in range(self.MESSAGES)]
        _, got = exchange([(self.publisher, b"".join(messages), 0),
                           (self.member, b"", len(messages[0]) * self.MESSAGES * size)])
        assert got == b"".join(each * size for each in messages)
        return size * self.MESSAGES

    def queue(self, size: int) -> int:
        """Nobody reads them."""
        messages = published(["groups"] * self.MESSAGES, 1)
        packets_of(mp.PUBACK, ACK, self.publisher.exchange(messages, self.MESSAGES * ACK), self.MESSAGES)
        return size * self.MESSAGES

    def leave(self, size: int) -> int:
        before = self.broker.connections()
        self.member.close()
        self.broker.wait_for_connections(before - 1)
        self.publisher.ping()
        return size * self.MESSAGES

    def close(self) -> None:
        self.publisher.close()


class FiltersLookedAt(Structure):
    """Filters of which each topic makes the broker look at all, and matches none: to be counted as work."""

    phases = ("grow", "use", "leave")
    TOPICS = 20

    def __init__(self, broker):
        super().__init__(broker)
        self.subscriber = self.client("subscriber")

    def grow(self, size: int) -> int:
        self.levels = size.bit_length() - 1
        filters = ["/".join(levels) + "/end" for levels in itertools.product("a+", repeat=self.levels)]
        self.filters = len(filters)
        answers = sum(4 + len(part) for part in hundreds(filters))
        self.subscriber.exchange(subscribed(filters), answers)
        return self.filters

    def use(self, size: int) -> int:
        topics = ["a/" * self.levels + f"{i}/nothing" for i in range(self.TOPICS)]
        self.subscriber.exchange(published(topics, 0), 0)
        self.subscriber.ping()
        return self.filters * self.TOPICS

    def leave(self, size: int) -> int:
        self.subscriber.leave()
        return self.filters

    def close(self) -> None:
        pass


class LongFilters(Structure):
    """Few filters that are long: what they cost is their bytes."""

    phases = ("grow", "shrink", "grow", "leave")
    LENGTH, IN_ONE = 60_000, 10

    @staticmethod
    def sizes() -> tuple[int, int]:
        return tuple(size // 100 for size in Structure.sizes())

    @staticmethod
    def options(size: int) -> tuple:
        return ("limits.client-subscription-bytes=1073741824",)

    def __init__(self, broker):
        super().__init__(broker)
        self.subscriber = self.client("subscriber")

    def packets(self, size: int, make) -> bytes:
        filters = [f"{i}/".ljust(self.LENGTH, "x") for i in range(size)]
        return b"".join(make(1, filters[at:at + self.IN_ONE]) for at in range(0, size, self.IN_ONE))

    def grow(self, size: int) -> None:
        text = self.packets(size, lambda number, part: mp.subscribe(number, [(each, 0) for each in part], version=4))
        count = size // self.IN_ONE
        packets_of(mp.SUBACK, 4 + self.IN_ONE, self.subscriber.exchange(text, count * (4 + self.IN_ONE)), count)

    def shrink(self, size: int) -> None:
        text = self.packets(size, lambda number, part: mp.unsubscribe(number, part, version=4))
        count = size // self.IN_ONE
        packets_of(mp.UNSUBACK, ACK, self.subscriber.exchange(text, count * ACK), count)

    def leave(self, size: int) -> None:
        self.subscriber.leave()
