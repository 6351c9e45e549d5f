"""The wall clock jumps while the broker runs, or while it is down: nothing is lost, and nothing is kept for ever."""

import pytest

import mqtt_packets as mp
from broker import TIME_FACTOR
from jumping_clock import JumpingClock
from mqtt_wire import WireClient
from trouble import Publishing

SOON = 15.0 * TIME_FACTOR
HOURS = 3600
DAYS = 24 * HOURS
WITH_WILL = 4  # a Reason Code of DISCONNECT


@pytest.fixture
def clock(tmp_path, comqtt_program) -> JumpingClock:
    return JumpingClock(tmp_path, comqtt_program)


def _leave(port, client_id, expiry):
    client = WireClient(port)
    client.connect(client_id, clean=False, props={"session_expiry": expiry})
    client.subscribe(f"to/{client_id}", qos=1)
    client.disconnect()


def _send(port, client_id, payload, **props):
    client = WireClient(port)
    client.connect()
    client.publish(f"to/{client_id}", payload, qos=1, props=props)
    client.disconnect()


def _session_is_present(port, client_id, expiry):
    client = WireClient(port)
    try:
        return client.connect(client_id, clean=False, props={"session_expiry": expiry}).session_present
    finally:
        client.disconnect()


@pytest.mark.parametrize("hours", (50, -50), ids=("forward", "back"))
def test_nothing_acknowledged_is_lost_when_the_clock_jumps(broker, clock, threads, hours):
    own = broker(threads=threads, environment=clock.environment)
    work = Publishing(own.port)
    work.publish(20)
    work.settle("published before the jump", SOON)
    clock.set(hours * HOURS)
    work.publish(20)
    work.settle("published after the jump", SOON)
    own.kill()
    clock.set(-hours * HOURS)
    own.start()
    work.publish(20)
    work.settle("published after the restart", SOON)
    assert not work.collect(SOON)


@pytest.mark.parametrize("days", (10, -10), ids=("forward", "back"))
def test_a_session_outlives_a_jump_of_the_clock_while_the_broker_runs(broker, clock, days):
    own = broker(environment=clock.environment)
    _leave(own.port, "away", 3600)
    clock.set(days * DAYS)
    assert _session_is_present(own.port, "away", 3600)


def test_a_session_that_was_left_in_the_future_does_not_stay_until_then(broker, clock):
    own = broker(environment=clock.environment)
    clock.set(10 * DAYS)
    will = mp.Will("wills", b"gone", qos=1, retain=True, props={"will_delay": 5 * DAYS})
    late = WireClient(own.port)
    late.connect("late", clean=False, props={"session_expiry": 2}, will=will)
    late.disconnect(WITH_WILL)
    _leave(own.port, "stays", 3600)  # its SUBACK says that all this is committed
    own.kill()
    clock.set(0)
    own.start()
    watcher = WireClient(own.port)
    watcher.connect()
    watcher.subscribe("wills", qos=1)
    watcher.message("wills", b"gone", timeout=SOON)  # it goes out when its session ends
    watcher.disconnect()
    assert _session_is_present(own.port, "stays", 3600)


def test_a_message_from_the_future_expires_in_its_time(broker, clock):
    own = broker(environment=clock.environment)
    _leave(own.port, "reader", 3600)
    clock.set(10 * DAYS)
    _send(own.port, "reader", b"from the future", message_expiry=60)
    own.kill()
    clock.set(0)
    own.start()
    reader = WireClient(own.port)
    reader.connect("reader", clean=False, props={"session_expiry": 3600})
    message = reader.message("to/reader", b"from the future")
    assert message.properties["message_expiry"] <= 60
    reader.disconnect()


def _received(port, client_id, count):
    reader = WireClient(port)
    reader.connect(client_id, clean=False, props={"session_expiry": 3600})
    messages = [reader.message(timeout=SOON) for _ in range(count)]
    reader.expect_nothing()
    reader.disconnect()
    return messages


@pytest.mark.parametrize("memory", (4096, 262144), ids=("paged", "in-memory"))
def test_a_message_does_not_expire_because_the_clock_is_put_forward(broker, clock, threads, memory):
    """Also when the store has it alone and it is read back after the clock was corrected."""
    own = broker(f"limits.client-queue-memory={memory}", threads=threads, environment=clock.environment)
    _leave(own.port, "reader", 3600)
    for number in range(100):
        _send(own.port, "reader", b"%d" % number, message_expiry=600)
    clock.set(HOURS)
    for number in range(100, 120):
        _send(own.port, "reader", b"%d" % number, message_expiry=600)
    messages = _received(own.port, "reader", 120)
    assert [m.payload for m in messages] == [b"%d" % number for number in range(120)]
    assert all(600 - 5 * SOON <= m.properties["message_expiry"] <= 600 for m in messages)


@pytest.mark.parametrize("policy", ("drop-oldest", "refuse"))
def test_what_expired_while_the_broker_was_down_takes_no_room(broker, clock, threads, policy):
    """[MQTT-3.3.2-5] Across a restart the wall clock is all there is."""
    own = broker("capabilities.maximum-client-writes-pending=200", f"queue-policy={policy}", threads=threads,
                 environment=clock.environment)
    _leave(own.port, "reader", 3600 * 24)
    publisher = WireClient(own.port)
    publisher.connect()
    for number in range(200):
        stays = number == 100
        publisher.publish("to/reader", b"stays" if stays else b"expires", qos=1,
                          props={} if stays else {"message_expiry": 60})
    own.kill()
    clock.set(HOURS)
    own.start()
    publisher = WireClient(own.port)
    publisher.connect()
    for _ in range(100):
        assert publisher.publish("to/reader", b"new", qos=1).reason == 0
    publisher.disconnect()
    assert [m.payload for m in _received(own.port, "reader", 101)] == [b"stays"] + 100 * [b"new"]
