"""Subscriptions: of one client, of many."""

from __future__ import annotations

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
