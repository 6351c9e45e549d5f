"""Many publishers write in the same moment: the broker reads them one after the other into the same memory."""

import pytest

PUBLISHERS = 40
SIZE = 20_000


def _receivers(crowd, *filters):
    """One of each QoS and version, so that every message takes each way out."""
    made = [crowd.peer(5), crowd.peer(4), crowd.peer(5), crowd.peer(4)]
    for peer, qos in zip(made, (2, 1, 0, 0)):
        peer.subscribe(*filters, qos=qos)
    crowd.until(lambda: not any(each.asked for each in made), "the SUBACKs")
    return made


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_twenty_kilobytes_from_each_of_forty_in_one_moment_arrive_unchanged(crowd, qos):
    _receivers(crowd, crowd.topic("+", "data"))
    publishers = crowd.several(PUBLISHERS)
    for _ in range(4):
        for n, each in enumerate(publishers):
            each.publish(crowd.topic(n, "data"), SIZE, qos)
        crowd.at_once()
        crowd.settle()


def test_forty_open_floods_arrive_unchanged(crowd):
    """Not in one moment but all the time, as the system has it."""
    receiver = crowd.peer(5)
    crowd.subscribe(receiver, crowd.topic("#"), qos=1)
    publishers = crowd.several(PUBLISHERS)
    for _ in range(15):
        for n, each in enumerate(publishers):
            each.publish(crowd.topic(n), SIZE, 1)
    crowd.settle()


def test_one_topic_of_forty_publishers_arrives_unchanged(crowd, rng):
    """One route, and each publisher's own order on it."""
    topic = crowd.topic("shared", "by", "all")
    _receivers(crowd, topic)
    publishers = crowd.several(PUBLISHERS)
    for round_ in range(3):
        for each in publishers:
            for _ in range(3):
                each.publish(topic, rng.choice((20, 300, 9000, 17_000, 30_000)), rng.choice((0, 0, 1, 2)))
        crowd.at_once()
        crowd.settle()


def test_messages_of_all_sizes_in_one_moment_arrive_unchanged(crowd, rng):
    """Small ones, runs of QoS 0, and large ones one behind the other on each connection."""
    _receivers(crowd, crowd.topic("#"))
    publishers = crowd.several(20)
    for round_ in range(3):
        for n, each in enumerate(publishers):
            for _ in range(rng.randrange(1, 12)):
                each.publish(crowd.topic("one", n), rng.randrange(20, 200), 0)
            each.publish(crowd.topic(n, "large"), rng.randrange(16_000, 70_000), rng.randrange(3))
            for _ in range(rng.randrange(1, 12)):
                each.publish(crowd.topic("one", n), rng.randrange(20, 20_000), rng.randrange(3))
        crowd.at_once()
        crowd.settle()
