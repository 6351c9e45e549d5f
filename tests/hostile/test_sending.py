"""Clients that send what makes the broker keep something, for ever."""

import itertools

import mqtt_packets as mp
from clients import unique_name
from siege import MIB


def _repeated(data: bytes, attack: int):
    """The same bytes again and again."""
    block = data * max(1, 262_144 // len(data))
    return itertools.repeat(block, attack // len(block) + 1)


def test_repeated_qos_2_messages_cost_nothing(besiege):
    siege, attack = besiege(), 100 * MIB
    again = mp.publish("t", bytes(10_000), 2, packet_id=7, dup=True)
    hostile = siege.attacker(mp.connect(unique_name("h"), keep_alive=0), _repeated(again, attack))
    siege.during(hostile.run)
    siege.assert_bounded(0, attack)


def test_retained_messages_for_ever_cost_their_limit(besiege):
    limit, attack = 8 * MIB, 150 * MIB
    siege = besiege(f"limits.retained-bytes={limit}")
    stream = (b"".join(mp.publish(f"retained/{block}/{n}", bytes(20_000), 0, True) for n in range(13))
              for block in range(attack // 260_000))
    siege.during(siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream).run)
    siege.assert_bounded(2 * limit, attack)


def test_small_retained_messages_for_ever_cost_their_number(besiege):
    count, attempts = 2000, 300_000
    siege = besiege(f"limits.retained-messages={count}")
    stream = (b"".join(mp.publish(f"retained/{block}/{n}/" + "x" * 100, b"1", 0, True) for n in range(1000))
              for block in range(attempts // 1000))
    siege.during(siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream).run)
    siege.assert_bounded(count * 1024, attempts * 130)


def test_publishing_to_new_topics_for_ever_costs_the_limit_of_routes(besiege):
    routes, attempts = 2000, 300_000
    siege = besiege(f"limits.routes={routes}")
    watcher = siege.client()
    watcher.subscribe("new/#", "new/+/nothing")
    watcher.drop()
    stream = (b"".join(mp.publish(f"new/{block}/{n}/" + "x" * 100, b"1", n % 2, packet_id=1 if n % 2 else None)
                       for n in range(1000)) for block in range(attempts // 1000))
    siege.during(siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream).run)
    siege.assert_bounded(routes * 1024 * siege.threads, attempts * 130)


def test_publishing_to_new_long_topics_for_ever_costs_the_bytes_of_routes(besiege):
    limit, size, attempts = 2 * MIB, 60_000, 3000
    siege = besiege(f"limits.route-bytes={limit}")
    stream = (mp.publish(f"{n}/".ljust(size, "x"), b"1") for n in range(attempts))
    hostile = siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream)
    siege.during(hostile.run)
    assert hostile.ended == "sent"
    siege.assert_bounded(limit * siege.threads, attempts * size)


def test_large_properties_are_not_copied_for_each_receiver(besiege):
    receivers, siege = 40, besiege()
    properties = {"user": [(f"name {n}", "v" * 4000) for n in range(500)]}
    witness = siege.client()
    witness.subscribe("to/all")
    for n in range(receivers):
        reader = siege.attacker(mp.connect(unique_name("r"), keep_alive=0) + mp.subscribe(1, [("to/all", 0)]),
                                reads=False)
        reader.open()
    packet = mp.publish("to/all", b"x", props=properties)
    hostile = siege.attacker(mp.connect(unique_name("h"), keep_alive=0) + packet)
    siege.during(hostile.run)
    assert hostile.ended == "sent"
    assert witness.message("to/all", b"x").properties["user"] == properties["user"]
    siege.assert_bounded(4 * len(packet), receivers * len(packet))


def test_topic_aliases_for_ever_cost_their_limit(besiege):
    """Each of many connections sets aliases of the longest topics until it is sent away."""
    count, siege, attack = 60, besiege(), 0
    topics = [f"{n:05}" + "x" * 60_000 for n in range(60)]

    def work():
        nonlocal attack
        for _ in range(count):
            data = b"".join(mp.publish(topic, b"", props={"topic_alias": n + 1}) for n, topic in enumerate(topics))
            hostile = siege.attacker(mp.connect(unique_name("h"), keep_alive=0), [data])
            hostile.run()
            attack += hostile.sent

    siege.during(work)
    siege.assert_bounded(count * 65_536 * 2, attack)


def test_pings_whose_answers_are_not_read_cost_nothing(besiege):
    siege, attack = besiege(), 60 * MIB
    hostile = siege.attacker(mp.connect(unique_name("h"), keep_alive=0), _repeated(mp.pingreq(), attack), reads=False)
    siege.during(hostile.run)
    siege.assert_bounded(0, attack)


def test_partial_packets_of_many_connections_cost_at_most_a_packet_each(besiege):
    """They say that they will be of the greatest size, and stop one byte before that."""
    size, count = 100_000, 100
    siege = besiege(f"capabilities.maximum-packet-size={size}")
    whole = mp.publish("t", bytes(size - 10))
    whole = mp.publish("t", bytes(size - 10 - (len(whole) - size)))
    assert len(whole) == size
    for _ in range(count):
        siege.attacker(mp.connect(unique_name("h"), keep_alive=0), [whole[:-1]]).run()
    siege.during()
    siege.assert_bounded(2 * size * count, size * count)


def test_partial_packets_that_promise_much_cost_what_has_arrived(besiege):
    """The protocol's largest, 256 MiB each."""
    count, siege = 300, besiege()
    begun = b"\x30\xff\xff\xff\x7f\x00\x01t" + bytes(5000)
    for _ in range(count):
        siege.attacker(mp.connect(unique_name("h"), keep_alive=0), [begun]).run()
    siege.during()
    siege.assert_bounded(count * 16_384, count * (256 << 20))


def test_partial_connects_cost_what_has_arrived(besiege):
    size, count = 65_536, 200
    siege = besiege(f"limits.connect-packet-size={size}", "limits.connect-timeout-ms=600000")
    whole = mp.connect("h", username="u" * 30_000, password="p" * 30_000)
    for n in range(count):
        siege.attacker(whole[: 5 if n % 2 else len(whole) - 1]).run()
    siege.during()
    siege.assert_bounded(size * count, count * len(whole))


def test_small_messages_to_many_receivers_for_ever_hold_up_nobody_and_arrive_whole(besiege):
    """Few bytes that cost much: no two in a row have the same topic, and a thousand sessions have subscribed to both."""
    receivers, messages, siege = 1000, 20_000, besiege()
    persistent = {"session_expiry": 1000}
    for _ in range(receivers):
        away = siege.client(clean=False, props=persistent)
        away.subscribe("wide/+")
        away.drop()
    reader = siege.client()
    reader.subscribe("wide/+")
    before = siege.peak()

    def read():
        for n in range(messages):
            reader.message(f"wide/{n % 2}", b"%d of them" % n)

    stream = (b"".join(mp.publish(f"wide/{n % 2}", b"%d of them" % n) for n in range(first, first + 1000))
              for first in range(0, messages, 1000))
    hostile = siege.attacker(mp.connect(unique_name("h"), keep_alive=0), stream)
    siege.during(hostile.run, read)
    assert hostile.ended == "sent"
    siege.before = before
    siege.assert_bounded(0, hostile.sent)
