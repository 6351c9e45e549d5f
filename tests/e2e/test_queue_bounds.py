"""What may wait for one session: bytes in flight, messages larger than the limit, and what is said of a drop."""

import threading

import pytest

from broker import TIME_FACTOR
from mqtt_packets import PUBACK

MIB = 1 << 20
LONG = 30.0 * TIME_FACTOR


class _Reader(threading.Thread):
    """Takes everything a client is sent and answers nothing."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self._socket = client.socket
        self._socket.settimeout(None)
        self.start()

    def run(self):
        try:
            while self._socket.recv(262144):
                pass
        except OSError:
            pass  # the test closed it


def test_a_receiver_that_reads_and_never_acknowledges_costs_no_more_than_its_limit(own_broker, unique):
    mqtt = own_broker(f"limits.client-queued-bytes={8 * MIB}", "limits.stuck-timeout-ms=100")
    topic = unique("t")
    silent = mqtt.connect()
    silent.subscribe(topic, qos=1)
    _Reader(silent)
    publisher = mqtt.connect()
    before = mqtt.broker.resident_kib()
    payload = b"x" * 50_000
    for _ in range(40):
        ids = [publisher.send_publish(topic, payload, 1) for _ in range(50)]
        for packet_id in ids:
            publisher.wait_for(PUBACK, packet_id, timeout=LONG)
    grown = mqtt.broker.resident_kib() - before
    allowed = 40 if TIME_FACTOR == 1 else 400  # a sanitizer keeps much of what was freed, and memory of its own
    assert grown < allowed * 1024, f"{grown} KiB for 100 MB that nobody acknowledged"


def _away(mqtt, topic, unique):
    client = mqtt.open()
    name = unique("away")
    client.connect(name, clean=False, props={"session_expiry": 3600})
    client.subscribe(topic, qos=1)
    client.disconnect()
    return name


@pytest.mark.parametrize("policy", ("drop-oldest", "drop-newest", "refuse"))
def test_a_message_above_the_limit_waits_for_an_absent_session(mqtt_with, unique, policy):
    mqtt = mqtt_with(f"limits.client-queued-bytes={MIB}", f"queue-policy={policy}")
    topic, payload = unique("t"), bytes(range(256)) * (12 * 1024)
    name = _away(mqtt, topic, unique)
    assert mqtt.connect().publish(topic, payload, 1).reason == 0
    back = mqtt.open()
    assert back.connect(name, clean=False, props={"session_expiry": 3600}).session_present
    back.message(topic, payload, timeout=LONG)
    back.disconnect()


@pytest.mark.parametrize("qos", (0, 1, 2))
def test_messages_above_the_limit_reach_a_client_that_is_there(mqtt_with, unique, qos):
    mqtt = mqtt_with(f"limits.client-queued-bytes={MIB}")
    topic, payload = unique("t"), bytes(range(256)) * (12 * 1024)
    receiver, publisher = mqtt.connect(), mqtt.connect()
    receiver.subscribe(topic, qos=qos)
    for _ in range(3):
        publisher.publish(topic, payload, qos)
        receiver.message(topic, payload, timeout=LONG)


def test_a_drop_is_logged_with_its_client_and_cause(own_broker, unique):
    mqtt = own_broker("capabilities.maximum-client-writes-pending=5")
    topic = unique("t")
    name = _away(mqtt, topic, unique)
    publisher = mqtt.connect()
    for number in range(200):
        publisher.publish(topic, b"%d" % number, 1)
    lines = [line for line in mqtt.broker.log().splitlines() if name in line and "dropped" in line]
    assert lines and "as much waits for it as may" in lines[0]
    assert len(lines) < 100, "the lines are not limited"
