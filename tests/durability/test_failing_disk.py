"""The disk is full or broken while the broker runs: refusals, not losses; others do not notice; then it goes on."""

import time

import pytest

import history as h
import mqtt_packets as mp
from broker import TIME_FACTOR
from mqtt_packets import CONNACK, SUBACK
from mqtt_wire import Closed, WireClient
from store_broker import StoreBroker
from trouble import Pair, Publishing, Tripwire

FULL, BROKEN = 0x97, 0x83
FAULTS = {"full": ({"write": "full"}, FULL), "half-written": ({"write": "short"}, FULL),
          "write-error": ({"write": "ioerr"}, BROKEN), "sync-error": ({"sync": "ioerr"}, BROKEN)}
SETTINGS = ("storage.retry-ms=100",)
RECOVERY = 5.0 * TIME_FACTOR  # seconds until all is well again after the fault was lifted
SOON = 10.0 * TIME_FACTOR


@pytest.fixture(params=FAULTS)
def fault(request):
    return FAULTS[request.param]


@pytest.fixture
def troubled(broker, disk, threads) -> StoreBroker:
    return broker(*SETTINGS, threads=threads, environment=disk.environment)


def test_what_cannot_be_stored_waits_or_is_refused_and_nothing_acknowledged_is_lost(troubled, disk, fault):
    values, reason = fault
    early, late = Publishing(troubled.port, name="early"), Publishing(troubled.port, name="late", versions=(5,))
    pair, tripwire = Pair(troubled.port), Tripwire(troubled.port)
    for work in (early, late):
        work.publish(5)
        work.settle("published to a good disk", SOON)
        work.loop.actors.append(pair)
    disk.set(**values)
    before = {work: len(work.record.events) for work in (early, late)}
    early.publish(10)
    early.loop.turn()
    refusal = tripwire.refusal(SOON)
    assert refusal.reason == reason and refusal.properties.get("reason_string"), refusal
    late.publish(10)
    late.loop.until(lambda: len(late.refused()) == 20, "all refused", SOON)
    assert {code for code, _ in late.refused()} == {reason}
    assert all(text for _, text in late.refused()), "a refusal says why"
    pair.times.clear()
    early.loop.until(lambda: len(pair.times) >= 300, "the others go on", SOON)
    assert pair.usual() < 0.02 * TIME_FACTOR and pair.worst() < 1.0 * TIME_FACTOR, (pair.usual(), pair.worst())
    for work in (early, late):
        assert not work.events(h.ACKED, before[work]), "acknowledged while nothing can be stored"

    disk.set()
    early.settle("all is answered after the fault", RECOVERY)
    assert late.refused()[20:] == []
    for work in (early, late):
        refused = len(work.refused())
        work.publish(5)
        work.settle("published after the fault", SOON)
        assert len(work.refused()) == refused, "refused though the disk is good again"
        work.loop.actors.clear()
    pair.close()
    troubled.kill()
    troubled.start({})
    for work in (early, late):
        faults = work.collect(SOON)
        assert not faults, "\n".join(map(str, faults[:20]))


def _connect(client: WireClient, name: str, **fields):
    """The CONNACK of a persistent session, or nothing when the connection was closed."""
    props = {"session_expiry": 1000} if client.version == 5 else ()
    client.send_connect(name, clean=False, props=props, **fields)
    try:
        return client.expect(CONNACK)
    except Closed:
        return None


def _connected_again(port: int, version: int, name: str) -> WireClient:
    """A client that tries until it is let in."""
    ends = time.monotonic() + RECOVERY
    while time.monotonic() < ends:
        client = WireClient(port, version)
        connack = _connect(client, name)
        if connack and connack.reason == 0:
            return client
        client.socket.close()
    raise AssertionError(f"{name} is not let in within {RECOVERY} s: {connack}")


def _subscribe(client: WireClient, topic_filter: str):
    packet_id = client.packet_id()
    client.send(mp.subscribe(packet_id, [(topic_filter, 1)], (), client.version))
    return client.wait_for(SUBACK, packet_id, timeout=SOON)


@pytest.mark.parametrize("version", (4, 5))
def test_new_sessions_and_their_subscriptions_are_refused_and_clean_ones_are_not(troubled, disk, fault, version):
    values, _ = fault
    work, tripwire = Publishing(troubled.port, versions=(5,)), Tripwire(troubled.port)
    old = WireClient(troubled.port, version)
    assert _connect(old, "old").reason == 0
    disk.set(**values)
    tripwire.refusal(SOON)
    work.publish(1)

    connack = _connect(WireClient(troubled.port, version), "new")
    if version == 5:
        assert connack and connack.reason in (FULL, BROKEN, 0x88), connack
        assert connack.properties.get("reason_string")
    else:
        assert connack is None or connack.reason == 3, connack
    suback = _subscribe(old, "x/1")
    assert suback.reasons[0] in ((FULL, BROKEN) if version == 5 else (0x80,)), suback
    clean = WireClient(troubled.port, version)
    clean.connect("clean")
    clean.subscribe("x/1", qos=1)
    clean.send_publish("x/1", b"fine")
    clean.message("x/1", b"fine")

    disk.set()
    late = _connected_again(troubled.port, version, "new")
    work.settle("all is answered after the fault", RECOVERY)
    assert _subscribe(late, "x/2").reasons == [1]
    assert _subscribe(old, "x/2").reasons == [1]
    troubled.kill()
    troubled.start({})
    for name in ("new", "old"):
        again = WireClient(troubled.port, version)
        assert _connect(again, name).session_present, f"{name} was lost"
        again.publish("x/2", name.encode(), qos=1)
        while again.message("x/2").payload != name.encode():
            pass  # what others published since


def test_a_broker_stops_in_bounded_time_while_the_disk_fails(troubled, disk, fault):
    values, _ = fault
    work, tripwire = Publishing(troubled.port), Tripwire(troubled.port)
    work.publish(3)
    work.settle("published to a good disk", SOON)
    disk.set(**values)
    work.publish(3)
    work.loop.turn()
    tripwire.refusal(SOON)
    troubled.stop()
    troubled.start({})
    work.settle("all is answered after the restart", RECOVERY)
    faults = work.collect(SOON)
    assert not faults, "\n".join(map(str, faults[:20]))
