"""What a broker has stored is the same after it has ended and begun anew."""

import pytest

SIZES = (20, 127, 8192, 16_383, 16_384, 20_000, 65_536, 300_000)


@pytest.mark.parametrize("kill", (False, True), ids=("terminated", "killed"))
def test_queues_and_retained_messages_arrive_unchanged_after_a_restart(restarting, rng, kill):
    crowd, restart = restarting
    receivers = crowd.several(6, persistent=True)
    for n, peer in enumerate(receivers):
        crowd.subscribe(peer, crowd.topic("#"), qos=1 + n // 2 % 2)
    silent = crowd.several(2, persistent=True)
    for peer in silent:
        crowd.subscribe(peer, crowd.topic("#"), qos=2)
        peer.be_silent()
    for peer in receivers:
        peer.leave()
    publishers = crowd.several(10)
    retained = []
    for _ in range(3):
        for n, each in enumerate(publishers):
            for i in range(4):
                props = {"user": [("from", each.name)], "correlation_data": bytes(300)} if each.version == 5 else None
                each.publish(crowd.topic("q", n, i), rng.choice(SIZES), rng.choice((1, 2)), props=props)
        crowd.at_once()
        crowd.until(lambda: not any(each.busy() for each in publishers), "the acknowledgements")
    for n, each in enumerate(publishers):
        retained.append(each.publish(crowd.topic("r", n), rng.choice(SIZES), 1, True))
    crowd.until(lambda: not any(each.busy() for each in publishers), "the acknowledgements")
    restart(kill)
    for peer in receivers + silent:
        peer.answering = True
        peer.come()
    crowd.settle("what had waited")
    late = crowd.several(2)
    for peer in late:
        for message in retained:
            peer.receiving.replay(message)
        crowd.subscribe(peer, crowd.topic("r", "+"), qos=2)
    crowd.settle("the replay")
