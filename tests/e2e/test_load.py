"""Many messages: nothing lost, duplicated, reordered; a slow client costs only itself."""

import threading
import time

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBLISH, PUBREC, PUBREL


def _send_in_background(client, data):
    """Sends all of `data`, however long the broker makes it wait."""
    def work():
        client.socket.settimeout(60)
        client.socket.sendall(data)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_an_open_loop_flood_to_one_subscriber_loses_nothing(mqtt, unique):
    """[MQTT-4.6.0-5] [MQTT-4.2-1] The default policy makes the publisher wait rather than drop."""
    topic, count = unique("t"), 100_000
    subscriber, publisher = mqtt.connect(), mqtt.connect()
    subscriber.subscribe(topic)
    thread = _send_in_background(publisher, b"".join(mp.publish(topic, b"%064d" % i) for i in range(count)))
    for i in range(count):
        packet = subscriber.read(20)
        assert int(packet.payload) == i
    thread.join()
    subscriber.expect_nothing(via=publisher)


def test_a_flood_from_many_publishers_to_one_slow_reader_loses_nothing(mqtt, unique):
    """[MQTT-4.6.0-5]"""
    topic, count, publishers = unique("t"), 2000, 10
    subscriber = mqtt.connect(receive_buffer=8192)
    subscriber.subscribe(topic + "/+")
    threads = []
    for p in range(publishers):
        data = b"".join(mp.publish(f"{topic}/{p}", b"%d " % i + b"x" * 500) for i in range(count))
        threads.append(_send_in_background(mqtt.connect(), data))
    expected = [0] * publishers
    for _ in range(count * publishers):
        packet = subscriber.read(20)
        p = int(packet.topic.rsplit("/", 1)[1])
        assert int(packet.payload.split()[0]) == expected[p]
        expected[p] += 1
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("qos", (0, 1))
def test_a_subscriber_that_does_not_read_does_not_stall_the_others(mqtt_with, unique, qos):
    """[MQTT-4.5.0-1] After the time allowed to a stuck receiver the others go on at full speed."""
    mqtt = mqtt_with("limits.stuck-timeout-ms=300")
    topic, other = unique("t"), unique("t")
    stuck, quick, publisher = mqtt.connect(receive_buffer=4096), mqtt.connect(), mqtt.connect()
    for client in (stuck, quick):
        client.subscribe(topic, qos=qos)
    size, count = 10_000, 1500
    thread = _send_in_background(
        publisher, b"".join(mp.publish(topic, b"%d " % i + b"x" * size, qos, packet_id=i % 1000 + 1 if qos else None)
                            for i in range(1000 if qos else count)))
    pair_a, pair_b = mqtt.connect(), mqtt.connect()
    pair_a.subscribe(other)
    for i in range(50):
        pair_b.send_publish(other, b"%d" % i)
        pair_a.message(other, b"%d" % i, timeout=2)
    for i in range(1000 if qos else count):
        packet = quick.unacknowledged_message(topic, timeout=10)
        assert int(packet.payload.split()[0]) == i
        if qos:
            quick.send_ack(PUBACK, packet.packet_id)
    thread.join()


def test_a_subscriber_that_never_acknowledges_does_not_stall_the_others(mqtt, unique):
    """[MQTT-3.3.4-9] [MQTT-4.9.0-2]"""
    topic = unique("t")
    silent, quick, publisher = mqtt.connect(props={"receive_maximum": 5}), mqtt.connect(), mqtt.connect()
    for client in (silent, quick):
        client.subscribe(topic, qos=1)
    for i in range(3000):
        publisher.send_publish(topic, b"%d" % i, 1, packet_id=i % 65535 + 1)
        quick.message(topic, b"%d" % i)
        publisher.wait_for(PUBACK)
    for i in range(5):
        silent.unacknowledged_message(topic, b"%d" % i)
    silent.expect_nothing()


def test_qos_2_counts_exactly_once_under_load(mqtt, unique):
    """[MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] Every fifth PUBLISH and PUBREL is sent twice."""
    topic, count, window = unique("t"), 3000, 100
    subscriber, publisher = mqtt.connect(), mqtt.connect()
    subscriber.subscribe(topic, qos=2)
    got = []

    def receive():
        while len(got) < count:
            got.append(subscriber.message(topic, timeout=20).payload)

    reader = threading.Thread(target=receive, daemon=True)
    reader.start()
    for start in range(0, count, window):
        ids = range(1, window + 1)
        for i in ids:
            for dup in (False, True)[: 2 if i % 5 == 0 else 1]:
                publisher.send_publish(topic, b"%d" % (start + i - 1), 2, packet_id=i, dup=dup)
        for i in ids:
            for _ in range(2 if i % 5 == 0 else 1):
                assert publisher.expect(PUBREC, packet_id=i).reason in (0, 0x10)
        publisher.send(*[mp.ack(PUBREL, i) * (2 if i % 5 == 0 else 1) for i in ids])
        for i in ids:
            for _ in range(2 if i % 5 == 0 else 1):
                publisher.expect(mp.PUBCOMP, packet_id=i)
    reader.join(30)
    assert got == [b"%d" % i for i in range(count)]
    subscriber.expect_nothing(via=publisher)


def test_fan_out_reaches_everybody_in_order(mqtt, unique):
    """[MQTT-4.6.0-6]"""
    topic, count = unique("t"), 200
    subscribers = [mqtt.connect(version=3 + i % 3) for i in range(60)]
    for i, subscriber in enumerate(subscribers):
        subscriber.subscribe(topic, qos=i % 3 if i % 3 < 2 else 0)
    publisher = mqtt.connect()
    publisher.send(*[mp.publish(topic, b"%d" % i, 1, packet_id=i + 1) for i in range(count)])
    for subscriber in subscribers:
        assert [m.payload for m in subscriber.messages(count)] == [b"%d" % i for i in range(count)]


def test_many_connections_come_and_go(mqtt, unique):
    """[MQTT-3.1.4-5]"""
    for round_ in range(3):
        clients = [mqtt.open(3 + i % 3) for i in range(200)]
        for client in clients:
            client.send_connect(unique("c"))
        for client in clients:
            client.expect(mp.CONNACK, reason=0)
        for i, client in enumerate(clients):
            client.reset() if i % 2 else client.disconnect()
    mqtt.connect().ping()


@pytest.mark.alone
def test_a_hash_subscriber_with_many_retained_messages_does_not_hold_up_a_pair(mqtt, unique):
    """[MQTT-3.3.1-9]"""
    prefix, count = unique("t"), 20_000
    publisher = mqtt.connect()
    for start in range(0, count, 1000):
        publisher.send(*[mp.publish(f"{prefix}/{i}", b"%064d" % i, 1, True, i % 1000 + 1)
                         for i in range(start, start + 1000)])
        for _ in range(1000):
            publisher.expect(PUBACK)
    greedy, a, b, other = mqtt.connect(), mqtt.connect(), mqtt.connect(), unique("t")
    a.subscribe(other)
    greedy.send(mp.subscribe(1, [(prefix + "/#", 0)]))
    for i in range(20):
        start = time.monotonic()
        b.send_publish(other, b"%d" % i)
        a.message(other, b"%d" % i)
        assert time.monotonic() - start < 0.5
    greedy.expect(mp.SUBACK)
    seen = {greedy.expect(PUBLISH, retain=True).topic for _ in range(count)}
    assert len(seen) == count
    for start in range(0, count, 1000):
        publisher.send(*[mp.publish(f"{prefix}/{i}", b"", 1, True, i % 1000 + 1) for i in range(start, start + 1000)])
        for _ in range(1000):
            publisher.expect(PUBACK)


def test_a_client_that_does_not_take_its_answers_is_not_read(mqtt_with, unique):
    """What it is owed stays bounded, and others are served. Answers that repeat user properties are long."""
    mqtt = mqtt_with("capabilities.compatibilities.no-inherited-properties-on-ack=false")
    client, other = mqtt.connect(receive_buffer=65536), mqtt.connect()
    packet = mp.publish(unique("t"), b"x", 1, packet_id=7, props={"user": [("k", "v" * 60_000)]})
    client.socket.settimeout(3)
    with pytest.raises(TimeoutError):
        client.socket.sendall(packet * 1000)
    other.ping()
