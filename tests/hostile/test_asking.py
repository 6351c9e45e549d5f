"""Clients that subscribe and open sessions for ever."""

import mqtt_packets as mp
from clients import unique_name
from siege import CLIENT_BYTES, MIB


def _filters(block: int, count: int, length: int):
    return [(f"{block}/{n}/".ljust(length, "x"), n % 3) for n in range(count)]


def test_subscriptions_for_ever_cost_their_number(besiege):
    most, length, blocks = 1000, 1000, 600
    siege = besiege(f"limits.subscriptions-per-client={most}")
    stream = (mp.subscribe(1 + block % 60_000, _filters(block, 100, length)) for block in range(blocks))
    opening = mp.connect(unique_name("h"), clean=False, keep_alive=0, props={"session_expiry": 1000})
    siege.during(siege.attacker(opening, stream).run)
    siege.assert_bounded(most * (4 * length + 2048), blocks * 100 * length)


def test_long_filters_for_ever_cost_their_bytes(besiege):
    limit, length, attempts = 1 * MIB, 60_000, 2000
    siege = besiege(f"limits.client-subscription-bytes={limit}")
    stream = (mp.subscribe(1 + n, [(f"{n}/".ljust(length, "x"), 1)]) for n in range(attempts))
    opening = mp.connect(unique_name("h"), clean=False, keep_alive=0, props={"session_expiry": 1000})
    siege.during(siege.attacker(opening, stream).run)
    siege.assert_bounded(4 * limit, attempts * length)


def test_subscribing_and_unsubscribing_for_ever_costs_nothing(besiege):
    length, blocks = 1000, 300
    siege = besiege()

    def stream():
        for block in range(blocks):
            filters = _filters(block, 100, length)
            yield mp.subscribe(1 + block, filters) + mp.unsubscribe(1 + block, [each for each, _ in filters])

    siege.during(siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream()).run)
    siege.assert_bounded(100 * (4 * length + 2048), blocks * 100 * length)


def test_shared_subscriptions_that_come_and_go_cost_nothing(besiege):
    length, blocks = 500, 300
    siege = besiege()

    def stream():
        for block in range(blocks):
            filters = [(f"$share/g{n}/{each}", qos) for n, (each, qos) in enumerate(_filters(block, 50, length))]
            yield mp.subscribe(1 + block, filters) + mp.unsubscribe(1 + block, [each for each, _ in filters])

    siege.during(siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream()).run)
    siege.assert_bounded(100 * (4 * length + 2048), blocks * 50 * length)


def test_sessions_for_ever_cost_their_number(besiege):
    """Each with a will and a subscription, gone at once and to be kept."""
    most, tries, size = 200, 3000, 6000
    siege = besiege(f"limits.sessions={most}")

    def work():
        for n in range(tries):
            will = mp.Will("w", bytes(size), 1, props={"will_delay": 100_000})
            opening = mp.connect(unique_name("h"), clean=False, keep_alive=0, will=will,
                                 props={"session_expiry": 100_000})
            hostile = siege.attacker(opening + mp.subscribe(1, [("x" * 1000 + str(n), 1)]))
            hostile.run()
            hostile.socket.close()

    siege.during(work)
    siege.assert_bounded(most * (4 * size + 8192), tries * (size + 1000))


def test_connections_that_come_and_go_for_ever_cost_nothing(besiege):
    tries, siege = 3000, besiege()
    opening = mp.connect("", 5, keep_alive=0) + mp.subscribe(1, [("x" * 3000, 1)]) + mp.publish("x", bytes(3000))

    def work():
        for _ in range(tries):
            hostile = siege.attacker(opening)
            hostile.run()
            hostile.socket.close()

    siege.during(work)
    siege.assert_bounded(0, tries * len(opening))


def test_asking_for_retained_messages_and_not_reading_them_costs_its_limit(besiege):
    """Each SUBSCRIBE brings 1 MB again."""
    siege, times = besiege(), 3000
    client = siege.client()
    for n in range(50):
        client.publish(f"retained/{n}", bytes(20_000), 1, True)
    stream = (mp.subscribe(1 + n, [("retained/+", 1), ("retained/#", 0)]) for n in range(times))
    siege.during(siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream, reads=False).run)
    siege.assert_bounded(CLIENT_BYTES + 2 * MIB, 2 * times * MIB)
