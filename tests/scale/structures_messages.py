"""Messages: retained ones and their replays, those in flight, those that wait for a client."""

from __future__ import annotations

import mqtt_packets as mp
from bulk import Bulk, exchange, packets_of
from structure import ACK, SUBACK, SUBACK_100, Structure, hundreds, published, subscribed


def publish_all(publisher: Bulk, messages: bytes, count: int) -> None:
    """QoS 1, until all are acknowledged."""
    packets_of(mp.PUBACK, ACK, publisher.exchange(messages, ACK * count), count)


class Retained(Structure):
    """Retained messages, and clients that subscribe to them in all the ways there are."""

    phases = ("grow", "replace", "all", "wildcards", "exact", "absent", "shrink")
    MESSAGE = len(mp.publish("retained/00/000000", b"payload!", version=4))
    REPLAYS = 8

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")

    @staticmethod
    def topics(size: int) -> list[str]:
        return [f"retained/{i % 100:02}/{i:06}" for i in range(size)]

    def publish(self, size: int, payload: bytes) -> None:
        publish_all(self.publisher, published(self.topics(size), 1, payload, retain=True), size)

    def grow(self, size: int) -> None:
        self.publish(size, b"0ayload!")

    def replace(self, size: int) -> None:
        self.publish(size, b"payload!")

    def replayed(self, filters, subacks: int, messages: int) -> None:
        """A new client subscribes and gets this many messages. SUBACKs and messages come mixed."""
        client = self.client("subscriber")
        client.exchange(subscribed(filters), subacks + messages * self.MESSAGE)
        client.ping()
        client.leave()

    def all(self, size: int) -> int:
        """More than once: the first replay of many messages from other threads also pays for what the phases before left
        to the allocator, which sorts it when it is first asked for a larger piece."""
        for _ in range(self.REPLAYS):
            self.replayed(["retained/#"], SUBACK, size)
        return self.REPLAYS * size

    def wildcards(self, size: int) -> None:
        self.replayed([f"retained/{i:02}/+" for i in range(100)], SUBACK_100, size)

    def exact(self, size: int) -> None:
        self.replayed(self.topics(size), SUBACK_100 * (size // 100), size)

    def absent(self, size: int) -> None:
        """There are retained messages, but none for these."""
        self.replayed([topic + "x" for topic in self.topics(size)], SUBACK_100 * (size // 100), 0)

    def shrink(self, size: int) -> None:
        self.publish(size, b"")

    def close(self) -> None:
        self.publisher.close()


class RetainedForMany(Structure):
    """Many clients with 100 filters each subscribe in the same moment. Each filter has its retained message."""

    phases = ("use",)

    def use(self, size: int) -> None:
        topics = Retained.topics(size)
        publisher = self.client("publisher")
        publish_all(publisher, published(topics, 1, retain=True), size)
        clients = [self.client(f"subscriber-{i}") for i in range(size // 100)]
        exchange([(client, subscribed(part), SUBACK_100 + 100 * Retained.MESSAGE)
                  for client, part in zip(clients, hundreds(topics))])
        for client in clients:
            client.leave()
        publish_all(publisher, published(topics, 1, b"", retain=True), size)
        publisher.close()


class Receiver:
    """A client with a persistent session and one subscription at QoS 1."""

    def __init__(self, structure: Structure, client_id: str, topic_filter: str):
        self.structure, self.client_id = structure, client_id
        self.client = structure.client(client_id, clean=False)
        packets_of(mp.SUBACK, SUBACK, self.client.exchange(mp.subscribe(1, [(topic_filter, 1)], version=4), SUBACK), 1)

    def leave(self) -> None:
        self.client.leave()

    def come_back(self) -> None:
        self.client = self.structure.client(self.client_id, clean=False, present=True)

    def end(self) -> None:
        self.client.leave()
        self.structure.client(self.client_id).leave()


class InFlightOfOne(Structure):
    """A client that takes everything and acknowledges nothing until all packet ids are in use, nearly."""

    phases = ("grow", "resend", "shrink", "grow", "backwards")
    TOPIC = "flight"
    MESSAGE = len(mp.publish(TOPIC, b"payload!", 1, packet_id=1, version=4))

    @staticmethod
    def sizes() -> tuple[int, int]:
        """There are 65,535 packet ids."""
        return tuple(size * 65 // 100 for size in Structure.sizes())

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.receiver = Receiver(self, "receiver", self.TOPIC)

    def taken(self, got: bytes, size: int) -> None:
        packets_of(mp.PUBLISH, self.MESSAGE, got, size)
        at = 4 + len(self.TOPIC)
        self.ids = [got[i + at:i + at + 2] for i in range(0, len(got), self.MESSAGE)]
        assert len(set(self.ids)) == size

    def grow(self, size: int) -> None:
        acks, got = exchange([(self.publisher, published([self.TOPIC] * size, 1), ACK * size),
                              (self.receiver.client, b"", self.MESSAGE * size)])
        packets_of(mp.PUBACK, ACK, acks, size)
        self.taken(got, size)

    def resend(self, size: int) -> None:
        self.receiver.leave()
        self.receiver.come_back()
        self.taken(self.receiver.client.exchange(b"", self.MESSAGE * size), size)

    def acknowledge(self) -> None:
        self.receiver.client.exchange(b"".join(b"\x40\x02" + each for each in self.ids), 0)
        self.receiver.client.ping()

    def shrink(self, size: int) -> None:
        self.acknowledge()

    def backwards(self, size: int) -> None:
        self.ids.reverse()
        self.acknowledge()

    def close(self) -> None:
        self.publisher.close()
        self.receiver.end()


class InFlightOfMany(Structure):
    """A hundred clients with many messages in flight each."""

    phases = ("grow", "shrink")
    TOPIC, CLIENTS = "flight", 100
    MESSAGE = InFlightOfOne.MESSAGE

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.receivers = [Receiver(self, f"receiver-{i}", self.TOPIC) for i in range(self.CLIENTS)]

    def grow(self, size: int) -> None:
        count = size // self.CLIENTS
        jobs = [(each.client, b"", self.MESSAGE * count) for each in self.receivers]
        *self.got, acks = exchange([*jobs, (self.publisher, published([self.TOPIC] * count, 1), ACK * count)])
        packets_of(mp.PUBACK, ACK, acks, count)

    def shrink(self, size: int) -> None:
        at = 4 + len(self.TOPIC)
        jobs = []
        for receiver, got in zip(self.receivers, self.got):
            packets_of(mp.PUBLISH, self.MESSAGE, got, size // self.CLIENTS)
            acks = b"".join(b"\x40\x02" + got[i + at:i + at + 2] for i in range(0, len(got), self.MESSAGE))
            jobs.append((receiver.client, acks + mp.pingreq(), 2))
        exchange(jobs)

    def close(self) -> None:
        self.publisher.close()
        for receiver in self.receivers:
            receiver.end()


class QueueOfOne(Structure):
    """Messages that wait for one client. It comes back and takes them all."""

    phases = ("grow", "take")
    CLIENTS = 1
    TOPIC = "queue/000000"
    MESSAGE = len(mp.publish(TOPIC, b"payload!", 1, packet_id=1, version=4))
    WINDOW = 10_000  # acknowledged together

    @staticmethod
    def options(size: int) -> tuple:
        """With a store, most of the queue is there, of the small one too."""
        return (f"capabilities.maximum-client-writes-pending={size}", f"limits.inflight={QueueOfOne.WINDOW}",
                "limits.client-queue-memory=16384")

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.receivers = [Receiver(self, f"receiver-{i}", "queue/+") for i in range(self.CLIENTS)]
        for receiver in self.receivers:
            receiver.leave()

    def publish(self, first: int, size: int) -> None:
        topics = [f"queue/{first + i:06}" for i in range(size // self.CLIENTS)]
        publish_all(self.publisher, published(topics, 1), len(topics))

    def grow(self, size: int) -> None:
        self.publish(0, size)

    def take(self, size: int) -> None:
        """Nothing is missing, and all is in order."""
        each, at = size // self.CLIENTS, self.MESSAGE - len(b"payload!") - 2
        for receiver in self.receivers:
            receiver.come_back()
            acks, topics = b"", []
            for begin in range(0, each, self.WINDOW):
                count = min(self.WINDOW, each - begin)
                got = receiver.client.exchange(acks, self.MESSAGE * count)
                packets_of(mp.PUBLISH, self.MESSAGE, got, count)
                ends = range(at, len(got), self.MESSAGE)
                topics += [int(got[end - 6:end]) for end in ends]
                acks = b"".join(b"\x40\x02" + got[end:end + 2] for end in ends)
            receiver.client.exchange(acks + mp.pingreq(), 2)
            receiver.leave()
            assert topics == list(range(each))

    def close(self) -> None:
        self.publisher.close()
        for receiver in self.receivers:
            receiver.come_back()
            receiver.end()


class QueuesOfMany(QueueOfOne):
    """The same for ten clients."""

    CLIENTS = 10


class FullQueue(QueueOfOne):
    """A full queue loses its oldest message to each new one, and is lost with its session."""

    phases = ("grow", "overflow", "lose")

    def overflow(self, size: int) -> None:
        self.publish(size, size)

    def settle(self) -> None:
        """Until each thread has taken what was published: without a store an acknowledgement does not wait for that.
        What one client publishes comes in order, so that one more message to clients of all threads tells."""
        witnesses = [self.client(f"witness-{i}") for i in range(16)]
        exchange([(each, subscribed(["witness"]), SUBACK) for each in witnesses])
        last = len(mp.publish("witness", b"payload!", 0, version=4))
        exchange([(self.publisher, published(["witness"], 1), ACK), *((each, b"", last) for each in witnesses)])
        for each in witnesses:
            each.leave()

    def lose(self, size: int) -> None:
        self.settle()  # what is on its way would find the new session
        self.client("receiver-0").leave()
        self.receivers = [Receiver(self, "receiver-0", "queue/+")]
        self.receivers[0].leave()
