"""Wills of many connections that end in one moment, while others publish. A will has at most 65,535 bytes."""

import pytest

from clients import unique_name
from peer import Peer

ROOM = "limits.connect-packet-size=131072"


def _willing(crowd, count, size, qos, retain=False, **options):
    """Connected clients, each with a will of its own."""
    made = []
    for n in range(count):
        peer = Peer(crowd, unique_name("w"), 4 + n % 2, **options)
        props = {"user": [("will of", peer.name)], "content_type": peer.name} if peer.version == 5 else {}
        peer.will = crowd.ledger.message(peer.author, crowd.topic("will", n), size, qos, retain, props)
        made.append(peer)
        peer.come()
    crowd.peers += made
    crowd.until(lambda: all(each.accepted for each in made), "the CONNACKs")
    return made


def _receivers(crowd):
    receivers = [crowd.peer(5), crowd.peer(4), crowd.peer(4)]
    for peer, qos in zip(receivers, (2, 1, 0)):
        crowd.subscribe(peer, crowd.topic("#"), qos=qos)


@pytest.mark.parametrize("qos", (0, 1, 2))
@pytest.mark.parametrize("size", (20, 20_000, 65_535))
def test_wills_of_many_that_end_in_one_moment_arrive_unchanged(crowd_with, size, qos):
    crowd = crowd_with(ROOM)
    _receivers(crowd)
    willing, publishers = _willing(crowd, 30, size, qos), crowd.several(10)
    for n, each in enumerate(publishers):
        each.publish(crowd.topic("live", n), 20_000, 1)
    with crowd.broker.stopped():
        for n, (each, publisher) in enumerate(zip(willing, publishers * 3)):
            each.drop(reset=n % 2 == 1)
            publisher.push()
    crowd.settle("all wills")


@pytest.mark.parametrize("qos", (1, 2))
def test_retained_wills_are_replayed_unchanged(crowd_with, qos):
    crowd = crowd_with(ROOM)
    _receivers(crowd)
    willing = _willing(crowd, 20, 30_000, qos, retain=True)
    with crowd.broker.stopped():
        for each in willing:
            each.drop()
    crowd.settle("all wills")
    late = crowd.several(2)
    for each in late:
        for sender in willing:
            each.receiving.replay(sender.will)
        each.subscribe(crowd.topic("will", "+"), qos=2)
    crowd.settle("the replay")
    for n in range(len(willing)):
        late[0].publish(crowd.topic("will", n), 0, 1, True)
    crowd.settle("the clearing")


def test_delayed_wills_arrive_unchanged_when_their_time_has_come(crowd_with):
    crowd = crowd_with(ROOM)
    _receivers(crowd)
    willing, publishers = _willing(crowd, 20, 40_000, 1, persistent=True, will_delay=1), crowd.several(10)
    with crowd.broker.stopped():
        for each in willing:
            each.drop()
    for n, each in enumerate(publishers):
        for _ in range(10):
            each.publish(crowd.topic("live", n), 20_000, 1)
    crowd.settle("all wills")
