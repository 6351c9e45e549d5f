"""Receivers of all kinds: overlapping and shared filters, slow ones, silent ones, ones that leave and come back."""

import pytest

SIZES = (20, 300, 8192, 16_384, 20_000, 48_000, 70_000)
IMPATIENT = "limits.stuck-timeout-ms=300"  # a receiver that does not read is not waited for long


def _flood(crowd, rng, publishers, rounds, topics, qos=(0, 1, 2), sizes=SIZES):
    for _ in range(rounds):
        for each in publishers:
            each.publish(crowd.topic(rng.choice(topics)), rng.choice(sizes), rng.choice(qos))


def test_wildcard_and_overlapping_receivers_get_each_message_once_and_unchanged(crowd, rng):
    filters = ("x/+", "x/#", "+/1", "#", "x/1", "y/1/+", "+/+/#", "y/#")
    for peer in crowd.several(16):
        for topic_filter in rng.sample(filters, rng.randrange(1, 5)):
            crowd.subscribe(peer, crowd.topic(topic_filter), qos=rng.randrange(3))
    publishers = crowd.several(20)
    for _ in range(3):
        _flood(crowd, rng, publishers, 3, ("x/1", "x/2", "y/1", "y/1/z", "x"))
        crowd.at_once()
        crowd.settle()


def test_shared_receivers_get_each_message_at_one_member_and_unchanged(crowd, rng):
    for group, qos in (("g0", 0), ("g1", 1), ("g2", 2)):
        for peer in crowd.several(5):
            crowd.subscribe(peer, f"$share/{group}/" + crowd.topic("s", "+"), qos=qos)
    alone = crowd.peer(5)
    crowd.subscribe(alone, crowd.topic("s", "#"), qos=2)
    publishers = crowd.several(20)
    for _ in range(3):
        _flood(crowd, rng, publishers, 5, ("s/1", "s/2", "s/3"))
        crowd.at_once()
        crowd.settle()


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_one_receiver_of_shared_and_plain_filters_gets_all_in_order(crowd, rng, qos):
    """Whichever way a message takes."""
    for n, peer in enumerate(crowd.several(6)):
        crowd.subscribe(peer, crowd.topic("plain"), qos=qos)
        crowd.subscribe(peer, f"$share/own{n}/" + crowd.topic("shared"), qos=qos)
    publishers = crowd.several(6)
    for _ in range(5):
        _flood(crowd, rng, publishers, 20, ("plain", "shared"), (qos,), (20, 20, 300, 17_000))
        crowd.at_once()
        crowd.settle()


def test_bytes_that_wait_for_a_receiver_stay_its_own_while_others_publish(crowd):
    """The smallest case: it has stopped reading, and the others publish to topics that are not its own."""
    slow = crowd.peer(5, receive_buffer=4096)
    crowd.subscribe(slow, crowd.topic("a"), qos=1)
    first, *others = crowd.several(4)
    slow.pause()
    for _ in range(15):
        first.publish(crowd.topic("a"), 60_000, 1)
        for n, each in enumerate(others):
            each.publish(crowd.topic("elsewhere", n), 48_000, 1)
        crowd.at_once()
        crowd.until(lambda: not any(each.busy() for each in (first, *others)), "the PUBACKs")
    slow.go_on()
    crowd.settle()


def test_slow_receivers_get_what_was_published_unchanged(crowd_with, rng):
    crowd = crowd_with(IMPATIENT)
    slow = crowd.several(4, receive_buffer=4096, lossy=True)
    quick = crowd.several(3)
    for n, peer in enumerate(slow + quick):
        crowd.subscribe(peer, crowd.topic("#"), qos=n % 3)
    publishers = crowd.several(10)
    for each in slow:
        each.pause()
    _flood(crowd, rng, publishers, 25, ("1", "2", "3"))
    crowd.until(lambda: not any(each.busy() for each in quick + publishers), "all at those that read")
    for each in slow:
        each.go_on()
    crowd.settle()


def test_receivers_that_acknowledge_late_get_what_was_published_unchanged(crowd_with, rng):
    """Their window is small, so that most of it waits in the queue meanwhile."""
    crowd = crowd_with(IMPATIENT)
    late = [crowd.peer(5, props={"receive_maximum": 3}, lossy=True), crowd.peer(4, lossy=True)]
    for peer in late:
        crowd.subscribe(peer, crowd.topic("#"), qos=2)
        peer.be_silent()
    publishers = crowd.several(10)
    _flood(crowd, rng, publishers, 15, ("1", "2"))
    crowd.until(lambda: not any(each.busy() for each in publishers), "the acknowledgements")
    for peer in late:
        peer.answer()
    crowd.settle()


def test_receivers_that_leave_and_come_back_get_what_was_published_unchanged(crowd, rng):
    receivers = crowd.several(8, persistent=True)
    for n, peer in enumerate(receivers):
        crowd.subscribe(peer, crowd.topic("+"), qos=1 + n // 2 % 2)
    publishers = crowd.several(10)
    for _ in range(5):
        gone = rng.sample(receivers, 4)
        _flood(crowd, rng, publishers, 5, ("1", "2", "3"))
        for _ in range(rng.randrange(4)):
            crowd.turn()
        for each in gone:
            rng.choice((each.leave, each.drop, lambda: each.drop(reset=True)))()
        _flood(crowd, rng, publishers, 5, ("1", "2", "3"))
        crowd.at_once()
        crowd.until(lambda: not any(each.busy() for each in publishers), "the acknowledgements")
        for each in gone:
            each.come()
        crowd.settle()
