"""Receivers that never read: what waits for them stays within limits.client-queued-bytes."""

import pytest

from clients import unique_name
from publishing import opening, publishing
from siege import CLIENT_BYTES, MIB

ATTACK = 200 * MIB


@pytest.mark.parametrize("qos", (0, 1))
def test_a_receiver_that_never_reads_costs_its_limit(besiege, qos):
    siege, topic = besiege(), unique_name("t")
    deaf = siege.attacker(opening(topic, qos, 5), reads=False)
    deaf.run()
    siege.during(publishing(siege, topic, qos, ATTACK))
    siege.assert_bounded(2 * CLIENT_BYTES, ATTACK)


def test_many_receivers_that_never_read_cost_their_limits(besiege):
    limit, count = 1 * MIB, 30
    siege, topic = besiege(f"limits.client-queued-bytes={limit}"), unique_name("t")
    for n in range(count):
        siege.attacker(opening(topic, n % 2, 4 + n % 2), reads=False).run()
    siege.during(publishing(siege, topic, 1, 20 * MIB))
    siege.assert_bounded(2 * limit * count, 20 * MIB * count)
