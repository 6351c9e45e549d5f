"""Sessions, wills, members of shared subscriptions: what takes a connection for each item."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor

import mqtt_packets as mp
from broker import TIME_FACTOR
from bulk import CONNACK_311, CONNACK_311_PRESENT, Bulk, exchange, packets_of, sessions
from structure import ACK, DISCONNECT, SUBACK, Structure


class OfflineSessions(Structure):
    """Persistent sessions whose clients come, go, come back, and end them. All have the same two filters: one ordinary, one
    shared, so that they are members of one group that are all away. One member is there."""

    # What is looked at 200 times in a row stays in the processor's caches when there are 10,000, not when there are 100,000.
    growth = {"burst": 10.0}
    phases = ("grow", "fan_out", "burst", "shared", "churn", "come_back", "shrink")
    FILTER, SUBACK = "$share/group/shared/topic", b"\x90\x04\x00\x01\x01\x00"
    TO_GROUP = mp.publish("shared/topic", b"payload!", version=4)
    TO_ALL = mp.publish("all/topic", b"payload!", version=4)
    FAN_OUTS, BURST = 10, 200

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher, self.member = self.client("publisher"), self.client("member")
        self.subscription = mp.subscribe(1, [(self.FILTER, 1), ("all/+", 0)], version=4)
        assert self.member.exchange(self.subscription, len(self.SUBACK)) == self.SUBACK

    def come_and_go(self, size: int, clean: bool, more: bytes, answer: bytes) -> None:
        sessions(self.path, (mp.connect(f"session-{i}", 4, clean) + more + DISCONNECT for i in range(size)), answer)

    def publish(self, text: bytes, answers: int, messages: int) -> bytes:
        """The member that is there takes them all; what it got."""
        return exchange([(self.publisher, text, answers), (self.member, b"", messages)])[1]

    def grow(self, size: int) -> None:
        self.come_and_go(size, False, self.subscription, CONNACK_311 + self.SUBACK)

    def fan_out(self, size: int) -> int:
        """Messages at QoS 0: each is looked at for each session."""
        text = self.TO_ALL * self.FAN_OUTS
        self.publish(text, 0, len(text))
        return size * self.FAN_OUTS

    def burst(self, size: int) -> int:
        """Few bytes that cost very much, in one read: no two messages in a row have the same topic."""
        text = b"".join(mp.publish(f"all/{'other' if i % 2 else 'topic'}", b"%d of the burst" % i, version=4)
                        for i in range(self.BURST))
        assert self.publish(text, 0, len(text)) == text
        return size * self.BURST

    def shared(self, size: int) -> None:
        self.publish(self.TO_GROUP * size, 0, len(self.TO_GROUP) * size)

    def churn(self, size: int) -> int:
        """Another one joins the group and leaves it before each message."""
        count = size // 10
        step = mp.subscribe(1, [(self.FILTER, 1)], version=4) + mp.unsubscribe(1, [self.FILTER], version=4) + self.TO_GROUP
        self.publish(step * count, (SUBACK + ACK) * count, len(self.TO_GROUP) * count)
        return count

    def come_back(self, size: int) -> None:
        self.come_and_go(size, False, b"", CONNACK_311_PRESENT)

    def shrink(self, size: int) -> None:
        self.come_and_go(size, True, b"", CONNACK_311)

    def close(self) -> None:
        self.publisher.close()
        self.member.close()


class WillReader:
    """A client that receives wills; those of the same structure have the same size."""

    def __init__(self, client: Bulk, topic: str):
        self.client, self.size = client, len(mp.publish(topic % 0, b"gone", version=4))
        client.exchange(mp.subscribe(1, [(topic.split("/")[0] + "/+", 0)], version=4), 5)

    def begin(self, count: int) -> None:
        """Reads them as they come."""
        self.coming = ThreadPoolExecutor(1).submit(self.client.exchange, b"", self.size * count)

    def end(self, count: int) -> None:
        packets_of(mp.PUBLISH, self.size, self.coming.result(), count)


class DelayedWills(Structure):
    """Sessions without a connection whose wills all fall due within one second, and end with them."""

    phases = ("grow", "use")
    TOPIC = "will/%06d"
    seconds_per_session = 200e-6 * TIME_FACTOR  # more than making one takes, as seen last: all are there when one is due

    def __init__(self, broker):
        super().__init__(broker)
        self.reader = WillReader(self.client("reader"), self.TOPIC)

    def grow(self, size: int) -> None:
        started = time.monotonic()
        due = started + size * self.seconds_per_session + 1
        self.reader.begin(size)

        def texts():
            for i in range(size):
                delay = max(1, math.floor(due - time.monotonic()))
                will = mp.Will(self.TOPIC % i, b"gone", props={"will_delay": delay})
                yield mp.connect(f"will-{i}", 5, True, will=will, props={"session_expiry": delay})

        sessions(self.path, texts(), None)
        DelayedWills.seconds_per_session = 1.5 * (time.monotonic() - started) / size

    def use(self, size: int) -> None:
        self.reader.end(size)

    def close(self) -> None:
        self.reader.client.close()


class WillsOfConnections(Structure):
    """Connections with a will that end in the same moment. Descriptors limit their number: a tenth of the others."""

    phases = ("grow", "use")
    TOPIC = "will/%06d"

    @staticmethod
    def sizes() -> tuple[int, int]:
        return tuple(size // 10 for size in Structure.sizes())

    def __init__(self, broker):
        super().__init__(broker)
        self.reader = WillReader(self.client("reader"), self.TOPIC)

    def grow(self, size: int) -> None:
        self.clients = [Bulk(self.path, f"will-{i}", will=mp.Will(self.TOPIC % i, b"gone")) for i in range(size)]

    def use(self, size: int) -> None:
        self.reader.begin(size)
        for client in self.clients:
            client.close()
        self.reader.end(size)

    def close(self) -> None:
        self.reader.client.close()


class ConnectedReceivers(Structure):
    """Connected clients that all receive the same messages. Descriptors limit their number: a tenth of the others."""

    phases = ("grow", "at_most_once", "at_least_once", "shrink")
    MESSAGES = 10

    @staticmethod
    def sizes() -> tuple[int, int]:
        return tuple(size // 10 for size in Structure.sizes())

    def __init__(self, broker):
        super().__init__(broker)
        self.publisher = self.client("publisher")
        self.connections = broker.connections()

    def grow(self, size: int) -> None:
        subscription = mp.subscribe(1, [("news/+", 1)], version=4)
        self.clients = []
        for i in range(size):
            self.clients.append(self.client(f"receiver-{i}"))
            self.clients[-1].exchange(subscription, SUBACK)

    def at_most_once(self, size: int) -> int:
        packets = [mp.publish(f"news/{i}", b"%d at most once" % i, version=4) for i in range(self.MESSAGES)]
        return self.send(b"".join(packets), size)

    def at_least_once(self, size: int) -> int:
        packets = [mp.publish(f"news/{i}", b"%d at least once" % i, 1, False, i + 1, version=4)
                   for i in range(self.MESSAGES)]
        return self.send(b"".join(packets), size, ACK * self.MESSAGES)

    def send(self, text: bytes, size: int, answers: int = 0) -> int:
        """Each gets the same bytes: its packet ids begin with 1 as well."""
        _, *got = exchange([(self.publisher, text, answers)] + [(client, b"", len(text)) for client in self.clients])
        assert all(each == text for each in got)
        return size * self.MESSAGES

    def shrink(self, size: int) -> None:
        for client in self.clients:
            client.close()
        self.broker.wait_for_connections(self.connections)

    def close(self) -> None:
        self.publisher.close()
