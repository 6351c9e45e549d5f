"""A session that is away for long: its queue is on disk, not in memory, and comes back whole and in order."""

import time

import pytest

from broker import TIME_FACTOR
from mqtt_packets import PUBACK, PUBLISH
from mqtt_wire import WireClient
from trouble import Pair

COUNT = 20_000 // (TIME_FACTOR * TIME_FACTOR)
SIZE = 4096
WINDOW = 500
END = 1_000_000  # the number of a message that comes last
ROOMY = ("capabilities.maximum-client-writes-pending=100000", "limits.client-queued-bytes=1000000000")
PERSISTENT = {"session_expiry": 100_000}


def _feed(port, count, pair):
    """Publishes with a window; the pair has its turn in between."""
    client = WireClient(port)
    client.connect("feeder")
    sent = acked = 0
    while acked < count:
        while sent < count and sent - acked < WINDOW:
            client.send_publish("long", f"{sent}|".encode().ljust(SIZE, b"."), qos=1)
            sent += 1
            if sent % 50 == 0:
                pair.tick(0)
        assert client.wait_for(PUBACK).reason == 0
        acked += 1
    client.disconnect()


def _number(packet):
    return int(packet.payload.split(b"|")[0])


def _take(port, count, receive_maximum):
    """The numbers of the messages in the order they came. The referee watches over Receive Maximum."""
    client = WireClient(port)
    connack = client.connect("away", clean=False, props={**PERSISTENT, "receive_maximum": receive_maximum})
    assert connack.session_present
    numbers, unanswered = [], []
    while len(numbers) < count:
        packet = client.expect(PUBLISH, timeout=20 * TIME_FACTOR)
        numbers.append(_number(packet))
        unanswered.append(packet.packet_id)
        if len(unanswered) == receive_maximum or len(numbers) == count:
            for packet_id in unanswered:
                client.send_ack(PUBACK, packet_id)
            unanswered.clear()
    client.expect_nothing()
    return numbers


@pytest.mark.alone
def test_a_long_queue_survives_and_takes_no_memory(broker, threads):
    own = broker(*ROOMY, threads=threads)
    empty = own.resident_kib()
    away = WireClient(own.port)
    away.connect("away", clean=False, props=PERSISTENT)
    away.subscribe("long", qos=1)
    away.disconnect()
    pair = Pair(own.port)
    _feed(own.port, COUNT, pair)
    pair.close()
    fed = own.resident_kib() - empty
    assert pair.usual() < 0.02 * TIME_FACTOR and pair.worst() < 0.5 * TIME_FACTOR, (pair.usual(), pair.worst())
    own.kill()
    assert own.path.stat().st_size + own.path.with_name(own.path.name + "-wal").stat().st_size > COUNT * SIZE
    started = time.monotonic()
    own.start()
    assert time.monotonic() - started < 3 * TIME_FACTOR
    held = own.resident_kib() - empty
    numbers = _take(own.port, COUNT, 50)
    taken = own.resident_kib() - empty
    assert numbers == list(range(COUNT)), [n for n in range(COUNT) if n not in set(numbers)][:20]
    print(f"KiB more than an empty broker: fed {fed}, after the restart {held}, when all was taken {taken}")
    if TIME_FACTOR == 1:
        assert held < 30 * 1024, f"{held} KiB for a queue that nobody asked for"
        assert taken < 60 * 1024 and fed < 120 * 1024, (fed, taken)
    assert own.stop() == 0
    assert own.row_counts()["messages"] == 0


def test_the_queue_goes_on_where_the_client_left_off(broker, threads):
    """The broker ends again and again while a client takes its queue in small pieces."""
    count = 300
    own = broker(*ROOMY, "limits.client-queue-memory=65536", threads=threads)
    away = WireClient(own.port)
    away.connect("away", clean=False, props=PERSISTENT)
    away.subscribe("long", qos=1)
    away.disconnect()
    pair = Pair(own.port)
    _feed(own.port, count, pair)
    pair.close()
    first = 0
    for piece in (1, 40, 100):
        client = WireClient(own.port)
        client.connect("away", clean=False, props={**PERSISTENT, "receive_maximum": 10})
        for number in range(first, first + piece):
            assert _number(client.message("long")) == number
        first += piece
        client.ping()  # the acknowledgements have arrived
        client.socket.close()
        own.stop()
        own.start()
    assert _take(own.port, count - first, 10) == list(range(first, count))


@pytest.mark.parametrize("limit", ("messages", "bytes", "messages-of-all"))
@pytest.mark.parametrize("policy", ("drop-oldest", "drop-newest", "refuse"))
def test_the_policy_of_a_full_queue_holds_over_a_restart(broker, threads, policy, limit):
    limits = {"messages": "capabilities.maximum-client-writes-pending=100", "bytes": "limits.client-queued-bytes=65536",
              "messages-of-all": "limits.queued-messages=100"}
    count, size = (40, 4096) if limit == "bytes" else (150, 10)
    own = broker(f"queue-policy={policy}", limits[limit], threads=threads)
    away = WireClient(own.port)
    away.connect("away", clean=False, props=PERSISTENT)
    away.subscribe("long", qos=1)
    away.disconnect()
    publisher = WireClient(own.port)
    publisher.connect("feeder")
    answers = [publisher.publish("long", f"{n}|".encode().ljust(size, b"."), qos=1) for n in range(count)]
    reasons = [each.reason for each in answers]
    own.kill()
    own.start()
    client = WireClient(own.port)
    client.connect("away", clean=False, props=PERSISTENT)
    came = [_number(client.message("long")) for _ in range(3)]
    client.ping()  # these are acknowledged, so there is room for one that comes last
    publisher = WireClient(own.port)
    publisher.connect("feeder")
    assert publisher.publish("long", f"{END}|", qos=1).reason == 0
    while (number := _number(client.message("long"))) != END:
        came.append(number)
    if limit != "bytes":
        assert len(came) == 100
    else:
        assert 10 <= len(came) <= 16, f"{len(came)} messages of {size} bytes in 65536 bytes"
    if policy == "refuse":
        assert reasons == [0] * len(came) + [0x97] * (count - len(came)), reasons
    else:
        assert set(reasons) == {0}
    first = count - len(came) if policy == "drop-oldest" else 0
    assert came == list(range(first, first + len(came)))
