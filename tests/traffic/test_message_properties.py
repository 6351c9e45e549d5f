"""Properties, topics and aliases of 5.0, with payloads that the broker does not copy beside them."""

from content import BLOCK


def _props(rng, mark):
    """Properties that no other message has."""
    cut = rng.randrange(1 << 20)
    props = {
        "payload_format": 0,
        "message_expiry": rng.randrange(1000, 2_000_000_000),
        "content_type": f"application/{mark}",
        "response_topic": f"answer/{mark}/" + "x" * rng.choice((0, 100, 20_000)),
        "correlation_data": BLOCK[cut : cut + rng.choice((1, 127, 128, 16_384, 40_000))],
        "user": [(f"key {n % 3} of {mark}", f"{mark}/{n}" * rng.choice((1, 50, 400))) for n in range(rng.randrange(6))],
    }
    chosen = {name: props[name] for name in props if rng.random() < 0.7}
    return {name: value for name, value in chosen.items() if value != []}


def test_properties_of_many_messages_in_one_moment_arrive_unchanged(crowd, rng):
    receivers = [crowd.peer(5), crowd.peer(4), crowd.peer(5), crowd.peer(5, persistent=True)]
    for peer, qos in zip(receivers, (2, 1, 0, 2)):
        crowd.subscribe(peer, crowd.topic("p", "#"), qos=qos)
    receivers[3].receiving.lossy = False
    publishers = crowd.several(20, 5)
    for round_ in range(4):
        for n, each in enumerate(publishers):
            for i in range(3):
                topic = crowd.topic("p", n, round_, i, "deep/" * rng.randrange(20) + "er" * rng.choice((1, 5000)))
                each.publish(topic, rng.choice((0, 5, 200, 16_384, 20_000, 60_000)), rng.randrange(3),
                             props=_props(rng, f"{n}-{round_}-{i}"))
        crowd.at_once()
        crowd.settle()


def test_subscription_identifiers_go_with_the_right_messages(crowd, rng):
    """Each receiver has other identifiers, and a message brings those of all filters that match it."""
    receivers = crowd.several(6, 5)
    for n, peer in enumerate(receivers):
        for m, (topic_filter, identifier) in enumerate((("+/a", 1), ("1/#", 127), ("#", 128), ("2/+", 268_435_455))):
            if (n + m) % 4:
                crowd.subscribe(peer, crowd.topic("i", topic_filter), qos=(n + m) % 3, identifier=identifier)
    publishers = crowd.several(12)
    for round_ in range(4):
        for each in publishers:
            for topic in ("1/a", "2/a", "1/b", "2/b", "3/a"):
                each.publish(crowd.topic("i", topic), rng.choice((20, 300, 20_000)), rng.randrange(3))
        crowd.at_once()
        crowd.settle()


def test_topic_aliases_both_ways_name_the_right_topics(crowd, rng):
    """Fewer aliases than topics on both sides, so that they are set anew all the time."""
    receivers = [crowd.peer(5, props={"topic_alias_maximum": most}) for most in (1, 4, 1000)]
    for n, peer in enumerate(receivers):
        crowd.subscribe(peer, crowd.topic("a", "#"), qos=n)
    publishers = crowd.several(12, 5, aliases=5)
    for round_ in range(4):
        for n, each in enumerate(publishers):
            for _ in range(12):
                each.publish(crowd.topic("a", n, rng.randrange(8), "long" * 100), rng.choice((20, 300, 9000, 20_000)),
                             rng.randrange(3))
        crowd.at_once()
        crowd.settle()
