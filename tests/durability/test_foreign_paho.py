"""The same promises to a client of somebody else's: paho, which keeps its own state over the broker's crashes."""

import itertools
import os
import random
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import checker
import history as h
from broker import TIME_FACTOR
from checker import check, report

KILLS = max(2, 6 // TIME_FACTOR)
SOON = 20.0 * TIME_FACTOR
GAP = 0.008 * TIME_FACTOR  # seconds between the messages of one publisher


class Foreign:
    """One paho client with a session; its callbacks write history.

    `up`: set while the broker runs. paho waits for it: after an attempt to connect in vain it sends PUBLISH where
    PUBREL is due.
    """

    def __init__(self, name: str, port: int, record, version: int, up: threading.Event):
        protocol = paho.MQTTv5 if version == 5 else paho.MQTTv311
        keep = {} if version == 5 else {"clean_session": False}
        self.name, self.record = name, record
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol, **keep)
        self.client.reconnect_delay_set(0.02, 0.05)
        self.client.max_inflight_messages_set(20)
        self.client.on_pre_connect = lambda client, data: up.wait(SOON)
        self.client.on_connect, self.client.on_disconnect = self._connected, self._gone
        self.client.on_message, self.client.on_subscribe = self._message, self._subscribed
        self.client.on_publish = lambda client, data, mid, reason, props: self.done.append((time.monotonic(), mid))
        self.done: list[tuple[float, int]] = []  # when, packet id
        self.sent: dict[int, h.Message] = {}
        self.got: set[h.Message] = set()
        self.numbers = itertools.count(1)
        self.connections = 0
        self.subscribed = threading.Event()
        self._filter = ("", 0)
        fields = {}
        if version == 5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 100_000
            fields = {"clean_start": False, "properties": properties}
        self.client.connect("127.0.0.1", port, keepalive=60, **fields)
        self.client.loop_start()

    def subscribe(self, topic_filter: str, qos: int) -> None:
        self._filter = (topic_filter, qos)
        self.record(self.name, h.SUBSCRIBING, detail=self._filter)
        self.client.subscribe(topic_filter, qos)
        assert self.subscribed.wait(SOON)

    def publish(self, qos: int) -> None:
        message = h.Message(self.name, f"d/{self.name}", next(self.numbers))
        self.record(self.name, h.SENT, message, (qos, False))
        self.sent[self.client.publish(message.topic, message.payload(100), qos).mid] = message

    def answers(self) -> list[h.Event]:
        """paho tells of the last acknowledgement only."""
        return [h.Event(at, self.name, what, self.sent[mid]) for at, mid in self.done
                for what in (h.ACKED, h.COMPLETED)]

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _connected(self, client, data, flags, reason, props):
        if not reason.is_failure:
            self.record(self.name, h.CONNECTED, detail=flags.session_present)
            self.connections += 1

    def _gone(self, client, data, flags, reason, props):
        self.record(self.name, h.GONE, detail=str(reason))

    def _subscribed(self, client, data, mid, reasons, props):
        self.record(self.name, h.SUBSCRIBED, detail=(self._filter[0], reasons[0].value))
        self.subscribed.set()

    def _message(self, client, data, found):
        message = h.Message.parse(found.topic, found.payload)
        self.got.add(message)
        self.record(self.name, h.GOT, message, (found.qos, found.dup, found.retain, found.mid))


def _until(condition, what):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)  # paho's threads do the work; there is nothing else to wait for


@pytest.mark.parametrize("version", (4, 5))
def test_paho_loses_nothing_when_the_broker_is_killed(broker, threads, version):
    seed = int(os.environ.get("COMQTT_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}")
    chance, record = random.Random(seed), h.Recorder()
    own = broker("capabilities.maximum-client-writes-pending=100000", threads=threads)
    up = threading.Event()
    up.set()
    subscribers = [Foreign(f"s{qos}", own.port, record, version, up) for qos in (1, 2)]
    publishers = {Foreign(f"p{qos}", own.port, record, version, up): qos for qos in (1, 2)}
    everybody = [*subscribers, *publishers]
    try:
        for qos, each in enumerate(subscribers, 1):
            each.subscribe("d/#", qos)
        for kill in range(1, KILLS + 1):
            _until(lambda: all(each.connections == kill for each in everybody), "all connected")
            ends = time.monotonic() + chance.uniform(0.1, 1.0) * TIME_FACTOR
            while time.monotonic() < ends:
                for each, qos in publishers.items():
                    each.publish(qos)
                time.sleep(GAP)  # the pace of the publishers
            up.clear()
            own.kill()
            record(h.BROKER, h.KILLED)
            own.start()
            record(h.BROKER, h.STARTED)
            up.set()
        _until(lambda: all(len(each.done) == len(each.sent) for each in publishers), "all acknowledged")
        everything = {message for each in publishers for message in each.sent.values()}
        try:
            _until(lambda: all(each.got >= everything for each in subscribers), "all received")
        except AssertionError:
            pass  # the verdict says what is missing
    finally:
        up.set()
        for each in everybody:
            each.end()
    events = h.merged(record.events, *(each.answers() for each in publishers))
    # paho mixes new messages with those it sends again, so that their order means nothing.
    faults = [each for each in check(events) if each.kind != checker.DISORDER]
    assert not faults, f"seed {seed}\n{report(events, faults)}"
    assert len(everything) > 100 // TIME_FACTOR
