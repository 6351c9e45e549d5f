"""What the structures have in common."""

from __future__ import annotations

import mqtt_packets as mp
from broker import TIME_FACTOR
from bulk import Bulk

DISCONNECT = mp.disconnect(version=4)


class Structure:
    """Something in the broker that grows. Each phase is a method that takes the size and returns when the broker has
    done its part; it may return the number of its items, if that is another."""

    phases = ("grow", "use", "shrink")
    growth: dict[str, float] = {}  # phases that may grow by another factor than MOST_GROWTH

    def __init__(self, broker):
        self.path = str(broker.socket_path)
        self.broker = broker

    @staticmethod
    def options(size: int) -> tuple:
        return ()

    @staticmethod
    def sizes() -> tuple[int, int]:
        """A broker built with a sanitizer needs ten times as long; what is superlinear shows at these sizes too."""
        return (1_000, 10_000) if TIME_FACTOR > 1 else (10_000, 100_000)

    def close(self) -> None:
        pass

    def client(self, client_id: str, **options) -> Bulk:
        return Bulk(self.path, client_id, **options)


def published(topics, qos: int, payload: bytes = b"payload!", retain: bool = False, first_id: int = 0) -> bytes:
    """PUBLISH packets, with packet ids that go round."""
    if qos == 0:
        return b"".join(mp.publish(topic, payload, 0, retain, version=4) for topic in topics)
    return b"".join(mp.publish(topic, payload, qos, retain, (first_id + i) % 65535 + 1, version=4)
                    for i, topic in enumerate(topics))


def hundreds(items):
    for at in range(0, len(items), 100):
        yield items[at:at + 100]


def subscribed(filters, qos: int = 0) -> bytes:
    """SUBSCRIBE packets of 100 filters each; a SUBACK of one has SUBACK_100 bytes."""
    return b"".join(mp.subscribe(at % 65535 + 1, [(each, qos) for each in part], version=4)
                    for at, part in enumerate(hundreds(filters)))


def unsubscribed(filters) -> bytes:
    return b"".join(mp.unsubscribe(at % 65535 + 1, part, version=4) for at, part in enumerate(hundreds(filters)))


SUBACK_100 = 104
SUBACK = 5  # bytes of one for one filter
ACK = 4     # bytes of PUBACK, UNSUBACK
