"""Waiting is earned: one that never reads costs the others next to nothing, one that reads slowly loses nothing."""

import socket
import threading
import time

import pytest

import mqtt_packets as mp
from broker import TIME_FACTOR, Broker
from mqtt_packets import PINGRESP, PUBLISH
from mqtt_wire import WireClient

PAYLOAD = b"x" * 16_000  # a never-reader is full within a part of a second


class Pair:
    """A publisher that is to send a message each few milliseconds, and its receiver."""

    def __init__(self, mqtt, topic, version, qos):
        self.topic, self.version, self.qos = topic, version, qos
        self.receiver, self.publisher = mqtt.connect(version=version), mqtt.connect(version=version)
        self.receiver.subscribe(topic, qos=qos)
        self.pace = threading.Event()

    def run(self, seconds, meanwhile=lambda elapsed: None):
        """Messages per second, and the longest time between two."""
        count, gap, start = 0, 0.0, time.monotonic()
        last = start
        while (now := time.monotonic()) - start < seconds:
            self.publisher.send(mp.publish(self.topic, b"%d " % count + PAYLOAD, self.qos,
                                           packet_id=count % 60_000 + 1 if self.qos else None,
                                           version=self.version))
            packet = self.receiver.unacknowledged_message(self.topic, timeout=30)
            assert int(packet.payload.split()[0]) == count
            if self.qos:
                self.receiver.send_ack(mp.PUBACK, packet.packet_id)
                self.publisher.expect(mp.PUBACK)
            count, gap, last = count + 1, max(gap, time.monotonic() - last), time.monotonic()
            meanwhile(now - start)
            self.pace.wait(0.002)  # its rate, not something that is waited for
        return count / (last - start), gap


@pytest.mark.alone
@pytest.mark.parametrize("version,qos", ((4, 0), (5, 0), (5, 1)))
def test_one_that_never_reads_and_keeps_coming_back_costs_a_pair_little(mqtt, unique, version, qos):
    """[MQTT-4.5.0-1] Against the same pair by itself, in the same run."""
    pair = Pair(mqtt, unique("t"), version, qos)
    alone, usual_gap = pair.run(1.5)
    sloths, seconds = [], 4.5

    def come_back(elapsed):
        if len(sloths) <= elapsed / 1.5:
            if sloths:
                sloths[-1].drop()
            sloths.append(mqtt.connect(receive_buffer=4096, version=version))
            sloths[-1].subscribe(pair.topic, qos=qos)

    beside, gap = pair.run(seconds, come_back)
    assert len(sloths) > 1
    assert gap < max(1.0 * TIME_FACTOR, 4 * usual_gap), f"{gap:.2f} s without a message"
    assert beside > alone / 2, f"{beside:.0f}/s beside it, {alone:.0f}/s alone"


@pytest.mark.parametrize("version", (4, 5))
def test_one_that_reads_slowly_loses_nothing_under_a_flood(mqtt, unique, version):
    """[MQTT-4.6.0-5] Although another, which reads nothing, is there to be given up."""
    topic, count = unique("t"), 60_000
    sloth = mqtt.connect(receive_buffer=4096)
    slow = mqtt.connect(receive_buffer=16_384, version=version)
    for client in (sloth, slow):
        client.subscribe(topic)
    publisher = mqtt.connect(version=version)
    data = b"".join(mp.publish(topic, b"%06d" % i + b"x" * 200, version=version) for i in range(count))

    def flood():
        publisher.socket.settimeout(120)
        publisher.socket.sendall(data)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    tick = threading.Event()
    for i in range(count):
        packet = slow.read(30)
        assert packet.type == PUBLISH and int(packet.payload[:6]) == i
        if i % 400 == 0 and i < 20_000:
            tick.wait(0.01)  # how slow it is, not what is waited for
    thread.join(30)
    assert not thread.is_alive()


def test_a_publisher_that_is_held_up_is_answered_within_its_keep_alive(mqtt, unique):
    """[MQTT-3.12.4-1] The reader is far too slow for what was sent before the PINGREQ."""
    topic, keep_alive = unique("t"), 4
    slow, publisher = mqtt.connect(receive_buffer=4096), mqtt.connect(keep_alive=keep_alive)
    slow.subscribe(topic)
    done = threading.Event()

    def read_slowly():
        slow.socket.settimeout(60)
        while not done.wait(0.02):
            slow.socket.recv(2000)

    thread = threading.Thread(target=read_slowly, daemon=True)
    thread.start()
    try:
        for _ in range(2):
            start = time.monotonic()
            publisher.socket.settimeout(30 * TIME_FACTOR)
            publisher.socket.sendall(mp.publish(topic, b"x" * 8000) * 500 + mp.pingreq())
            packet = publisher.read(30 * TIME_FACTOR)
            assert packet.type == PINGRESP
            assert time.monotonic() - start < keep_alive * TIME_FACTOR
    finally:
        done.set()
        thread.join()


def test_a_client_that_acknowledges_before_it_reads_on_gets_everything(comqtt_program, tmp_path, threads):
    """It waits until each PUBACK is taken, over a socket that takes few while nobody reads them. It begins when more waits
    for it than the high mark of an output."""
    path, count, before = tmp_path / "socket", 1500, 1000
    many = threading.Event()
    broker = Broker(comqtt_program, template=f"{comqtt_program} --tcp 127.0.0.1:{{port}} --unix {path} "
                                             f"--threads {threads} --storage-way 0")
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10 * TIME_FACTOR)
            broker.wait_until_listening(path)
            client.connect(str(path))
            client.sendall(mp.connect("blocking", 4) + mp.subscribe(1, [("t", 1)], version=4))
            stream = client.makefile("rb")
            assert stream.read(9) == b"\x20\x02\x00\x00\x90\x03\x00\x01\x01"

            def publish():
                publisher = WireClient(broker.port, 4)
                publisher.connect("publisher")
                for i in range(count):
                    publisher.send(mp.publish("t", b"%06d" % i + PAYLOAD[:2000], 1, packet_id=i + 1, version=4))
                for n in range(count):
                    publisher.expect(mp.PUBACK)
                    if n == before:
                        many.set()
                publisher.disconnect()

            publishing = threading.Thread(target=publish, daemon=True)
            publishing.start()
            assert many.wait(20 * TIME_FACTOR)
            for i in range(count):
                expected = mp.publish("t", b"%06d" % i + PAYLOAD[:2000], 1, packet_id=i + 1, version=4)
                assert stream.read(len(expected)) == expected
                client.sendall(mp.ack(mp.PUBACK, i + 1, version=4))
            publishing.join()
    finally:
        assert broker.stop() == 0, broker.log()
