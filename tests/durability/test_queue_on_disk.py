"""What a full queue loses first, when most of it is on disk."""

import pytest

from mqtt_packets import PUBACK
from mqtt_wire import WireClient

PERSISTENT = {"session_expiry": 100_000}
MOST = 1000  # messages of a queue
ON_DISK = (f"capabilities.maximum-client-writes-pending={MOST}", "limits.client-queue-memory=4096")


def _subscriber(port):
    client = WireClient(port)
    client.connect("away", clean=False, props=PERSISTENT)
    return client


def _take(client):
    packet = client.unacknowledged_message("t")
    client.send_ack(PUBACK, packet.packet_id)
    return int(packet.payload.split()[0])


@pytest.mark.parametrize("restarts", (False, True), ids=("as-it-is", "after-a-restart"))
def test_a_full_queue_loses_its_oldest(broker, threads, restarts):
    count, more = MOST, 300
    own = broker(*ON_DISK, threads=threads)
    away = _subscriber(own.port)
    away.subscribe("t", qos=1)
    away.disconnect()

    def publish(numbers):
        publisher = WireClient(own.port)
        publisher.connect("feeder")
        for number in numbers:
            assert publisher.publish("t", f"{number} ".encode(), qos=1).reason == 0
        publisher.disconnect()

    publish(range(count))
    if restarts:
        own.kill()
        own.start()
    publish(range(count, count + more))
    back = _subscriber(own.port)
    came = [_take(back)]
    while came[-1] != count + more - 1:
        came.append(_take(back))
    assert came == list(range(came[0], count + more))
    # Those that were on their way back from the disk may have come on top.
    assert more // 2 <= came[0] <= more
