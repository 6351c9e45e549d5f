"""Packets that arrive in pieces, cut at odd places, of many connections by turns."""

import random

SIZES = (0, 1, 30, 127, 128, 5000, 8192, 16_383, 16_384, 20_000, 65_536, 100_000, 262_144, 300_000)


def _publishers(crowd, rng, count):
    return crowd.several(count, cuts=random.Random(rng.random()))


def _receivers(crowd):
    made = [crowd.peer(5), crowd.peer(4)]
    for peer, qos in zip(made, (2, 1)):
        crowd.subscribe(peer, crowd.topic("cut", "#"), qos=qos)


def _publish_all(crowd, publishers, rng, count, sizes=SIZES):
    for n, each in enumerate(publishers):
        for i in range(count):
            each.publish(crowd.topic("cut", n, i), rng.choice(sizes), rng.randrange(3),
                         props={"user": [("cut", f"{n}/{i}" * 20)]} if each.version == 5 else None)


def test_packets_cut_at_odd_places_arrive_unchanged(crowd, rng):
    _receivers(crowd)
    publishers = _publishers(crowd, rng, 12)
    _publish_all(crowd, publishers, rng, 12)
    crowd.settle()


def test_pieces_of_many_packets_in_one_moment_arrive_unchanged(crowd, rng):
    """Each time the broker looks it finds a piece of a packet on every connection."""
    _receivers(crowd)
    publishers = _publishers(crowd, rng, 30)
    _publish_all(crowd, publishers, rng, 4, (30, 16_384, 20_000, 40_000, 70_000))
    for _ in range(60):
        crowd.at_once()
        crowd.ping()
    crowd.settle()


def test_packets_cut_after_every_byte_arrive_unchanged(crowd):
    class OneByte:
        @staticmethod
        def choice(_):
            return 1

    _receivers(crowd)
    publishers = crowd.several(4, cuts=OneByte())
    for n, each in enumerate(publishers):
        for qos in range(3):
            each.publish(crowd.topic("cut", n, qos), 200, qos)
    crowd.settle()
