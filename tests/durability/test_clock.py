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


@pytest.mark.parametrize("hours", (10, -10), ids=("forward", "back"))
def test_nothing_acknowledged_is_lost_when_the_clock_jumps(broker, clock, threads, hours):
    """Within the day that messages are kept (capabilities.maximum-message-expiry-interval)."""
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
