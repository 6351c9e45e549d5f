"""Retained messages: set, replaced and cleared by many in one moment, and replayed to many at a time."""

import pytest

SIZES = (20, 300, 8191, 16_383, 16_384, 20_000, 66_000, 150_000)


class Topics:
    """Retained messages under one prefix, each topic with a publisher of its own."""

    def __init__(self, crowd, rng, count, publishers):
        self.crowd, self.rng = crowd, rng
        self.publishers = crowd.several(publishers)
        self.names = [crowd.topic("r", n) for n in range(count)]
        self.messages = {}  # topic -> what it retains

    def set(self, names, sizes=SIZES):
        """In one moment. Acknowledged ones are there for whoever subscribes then."""
        for name in names:
            publisher = self.publishers[self.names.index(name) % len(self.publishers)]
            self.messages[name] = publisher.publish(name, self.rng.choice(sizes), self.rng.choice((1, 2)), True)
        self.crowd.at_once()
        self.crowd.settle("all retained messages")

    def clear(self, names):
        for name in names:
            publisher = self.publishers[self.names.index(name) % len(self.publishers)]
            publisher.publish(name, 0, 1, True)
            self.messages.pop(name, None)
        self.crowd.at_once()
        self.crowd.settle("the clearing")

    def replay_to(self, peers, qos):
        """All of them subscribe in one moment."""
        for each in peers:
            for message in self.messages.values():
                each.receiving.replay(message)
        with self.crowd.broker.stopped():
            for each in peers:
                each.subscribe(self.crowd.topic("r", "+"), qos=qos, identifier=7 if each.version == 5 else 0)
        self.crowd.settle("the replay")


@pytest.fixture
def topics(crowd, rng):
    return Topics(crowd, rng, 60, 20)


def test_retained_messages_are_replayed_unchanged_after_each_change(crowd, rng, topics):
    watcher, keeps_flag = crowd.peer(4), crowd.peer(5)
    crowd.subscribe(watcher, crowd.topic("r", "#"), qos=2)
    crowd.subscribe(keeps_flag, crowd.topic("r", "#"), qos=1, rap=True)
    topics.set(topics.names)
    topics.replay_to(crowd.several(6), 2)
    for _ in range(3):
        topics.set(rng.sample(topics.names, 40))
        topics.clear(rng.sample(topics.names, 10))
        topics.replay_to(crowd.several(4), rng.randrange(3))
    topics.clear(topics.names)
    topics.replay_to(crowd.several(1), 2)


def test_large_retained_messages_are_replayed_unchanged_while_others_publish(crowd, topics):
    topics.set(topics.names[:12], (1_000_000, 600_000, 2_097_152))
    publishers = crowd.several(20)
    watcher = crowd.peer(5)
    crowd.subscribe(watcher, crowd.topic("live", "#"), qos=1)
    for n, each in enumerate(publishers):
        for _ in range(10):
            each.publish(crowd.topic("live", n), 40_000, 1)
    topics.replay_to(crowd.several(5), 1)


def test_a_receiver_that_does_not_read_gets_its_replay_unchanged_later(crowd, topics):
    """What it is sent later is what was retained when it is sent, so nothing changes meanwhile."""
    topics.set(topics.names)
    slow = crowd.several(2, receive_buffer=4096)
    for each in slow:
        for message in topics.messages.values():
            each.receiving.replay(message)
        each.subscribe(crowd.topic("r", "+"), qos=1)
        each.pause()
    quick = crowd.several(2)
    for each in quick:
        crowd.subscribe(each, crowd.topic("live", "#"), qos=1)
    publishers = crowd.several(20)
    for n, each in enumerate(publishers):
        for _ in range(5):
            each.publish(crowd.topic("live", n), 40_000, 1)
    crowd.until(lambda: not any(each.busy() for each in quick + publishers), "the live messages")
    for each in slow:
        each.go_on()
    crowd.settle("the replay")
