"""Everything at the same time, chosen by a seeded generator."""

import random

SIZES = (20, 21, 100, 127, 300, 4096, 8192, 16_383, 16_384, 20_000, 48_000, 65_536, 100_000)


def _clients(crowd, rng):
    """Sessions that outlast their connections: what was lost with one is sent again, so nothing may be missing."""
    made = []
    for n in range(24):
        made += crowd.several(1, 4 + n % 2, persistent=True, window=rng.choice((1, 5, 200)),
                              aliases=rng.choice((0, 0, 3)) if n % 2 else 0,
                              cuts=random.Random(n) if n % 5 == 0 else None,
                              receive_buffer=4096 if n % 4 == 0 else None,
                              props={"receive_maximum": rng.choice((2, 20, 65_535)),
                                     "topic_alias_maximum": rng.choice((0, 3, 50))} if n % 2 else None)
    for n, each in enumerate(made[:16]):
        for m, topic_filter in enumerate(rng.sample(("#", "+", "1", "2", "3", "+/deep", "1/#"), rng.randrange(1, 4))):
            crowd.subscribe(each, crowd.topic("storm", topic_filter), qos=rng.randrange(3),
                            identifier=10 * n + m + 1 if each.version == 5 else 0)
    return made


def _publish(crowd, rng, each):
    for _ in range(rng.randrange(1, 6)):
        topic = crowd.topic("storm", rng.choice(("1", "2", "3", "1/deep", "2/deep")))
        props = {"user": [("from", each.name)], "message_expiry": 100_000} if each.version == 5 else None
        each.publish(topic, rng.choice(SIZES), rng.randrange(3), props=props)


def _disturb(crowd, rng, each):
    """One of the things that clients do."""
    if each.socket is None:
        each.come()
        return
    action = rng.randrange(10)
    if action == 0:
        each.pause()
    elif action == 1:
        each.be_silent()
    elif action == 2 and each.accepted:
        rng.choice((each.leave, each.drop, lambda: each.drop(reset=True)))()
    elif action < 6:
        each.go_on()
        each.answer()


def test_a_storm_of_clients_gets_what_was_published_unchanged(crowd_with, rng):
    crowd = crowd_with("limits.stuck-timeout-ms=100")
    clients = _clients(crowd, rng)
    for _ in range(150):
        for each in rng.sample(clients, 5):
            _publish(crowd, rng, each)
        for each in rng.sample(clients, 3):
            _disturb(crowd, rng, each)
        if rng.random() < 0.3:
            crowd.at_once()
        for _ in range(rng.randrange(4)):
            crowd.turn()
    for each in clients:
        if each.socket is None:
            each.come()
        each.go_on()
        each.answer()
    crowd.settle()
