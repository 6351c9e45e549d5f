"""paho-mqtt as a foreign client, 3.1.1 and 5.0."""

import queue

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSIONS = (paho.MQTTv31, paho.MQTTv311, paho.MQTTv5)
WAIT = 10


class PahoClient:
    """paho with its callbacks turned into queues."""

    def __init__(self, port, client_id, version, clean=True, expiry=None, will=None):
        fields = {} if version == paho.MQTTv5 else {"clean_session": clean}
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=version, **fields)
        self.client.max_inflight_messages_set(200)
        self.connected, self.subscribed, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.disconnected = queue.Queue()
        self.client.on_connect = lambda c, u, flags, reason, p: self.connected.put((flags, reason))
        self.client.on_subscribe = lambda c, u, mid, reasons, p: self.subscribed.put([r.value for r in reasons])
        self.client.on_message = lambda c, u, message: self.messages.put(message)
        self.client.on_disconnect = lambda c, u, flags, reason, p: self.disconnected.put(reason)
        if will:
            self.client.will_set(*will)
        options = {}
        if version == paho.MQTTv5:
            options["clean_start"] = clean
            if expiry is not None:
                options["properties"] = Properties(PacketTypes.CONNECT)
                options["properties"].SessionExpiryInterval = expiry
        self.client.connect("127.0.0.1", port, 60, **options)
        self.client.loop_start()
        self.flags, self.reason = self.connected.get(timeout=WAIT)
        assert not self.reason.is_failure, self.reason

    def subscribe(self, *args, **kwargs):
        self.client.subscribe(*args, **kwargs)
        return self.subscribed.get(timeout=WAIT)

    def publish(self, topic, payload, qos=0, retain=False, **kwargs):
        info = self.client.publish(topic, payload, qos, retain, **kwargs)
        info.wait_for_publish(WAIT)
        assert info.is_published()

    def message(self):
        return self.messages.get(timeout=WAIT)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self):
        """Ends the connection without DISCONNECT."""
        self.client._sock.close()
        self.client.loop_stop()


@pytest.fixture
def connect(mqtt, unique):
    made = []

    def make(version=paho.MQTTv5, client_id=None, **fields):
        made.append(PahoClient(mqtt.port, client_id or unique("paho"), version, **fields))
        return made[-1]

    yield make
    for each in made:
        each.client.on_disconnect = None
        each.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", (0, 1, 2))
def test_paho_publishes_and_receives(connect, unique, version, qos):
    """[MQTT-3.3.4-1] [MQTT-3.8.4-1]"""
    topic = unique("t")
    client = connect(version)
    assert client.subscribe(topic, qos) == [qos]
    for i in range(20):
        client.publish(topic, b"%d" % i, qos)
    assert [client.message().payload for _ in range(20)] == [b"%d" % i for i in range(20)]


@pytest.mark.parametrize("publisher", (paho.MQTTv311, paho.MQTTv5))
def test_paho_counts_qos_2_messages_exactly_once(connect, unique, publisher):
    """[MQTT-4.3.3-8] [MQTT-4.3.3-11]"""
    topic, count = unique("t"), 2000
    receiver, sender = connect(paho.MQTTv5), connect(publisher)
    receiver.subscribe(topic, 2)
    infos = [sender.client.publish(topic, b"%d" % i, 2) for i in range(count)]
    got = [int(receiver.message().payload) for _ in range(count)]
    for info in infos:
        info.wait_for_publish(WAIT)
    assert got == list(range(count))
    sender.publish(topic, b"end", 2)
    assert receiver.message().payload == b"end"


@pytest.mark.parametrize("version", VERSIONS)
def test_paho_leaves_a_will(connect, unique, version):
    """[MQTT-3.1.2-8]"""
    topic = unique("t")
    watcher = connect()
    watcher.subscribe(topic, 2)
    connect(version, will=(topic, b"gone", 1, False)).vanish()
    message = watcher.message()
    assert (message.payload, message.qos) == (b"gone", 1)


@pytest.mark.parametrize("version", (paho.MQTTv311, paho.MQTTv5))
def test_paho_resumes_a_session(connect, unique, version):
    """[MQTT-3.1.2-5] [MQTT-3.2.2-3]"""
    topic, name = unique("t"), unique("paho")
    fields = {"clean": False, "expiry": 60 if version == paho.MQTTv5 else None}
    first = connect(version, name, **fields)
    first.subscribe(topic, 1)
    first.close()
    sender = connect()
    for i in range(10):
        sender.publish(topic, b"%d" % i, 1)
    again = connect(version, name, **fields)
    assert again.flags.session_present
    assert [again.message().payload for _ in range(10)] == [b"%d" % i for i in range(10)]


def test_paho_reconnects_by_itself_after_a_takeover_by_the_test(connect, mqtt, unique):
    """[MQTT-3.1.4-3]"""
    name = unique("paho")
    client = connect(paho.MQTTv5, name)
    mqtt.connect(name).disconnect()
    assert client.disconnected.get(timeout=WAIT).value == 0x8E
    client.connected.get(timeout=WAIT)
    topic = unique("t")
    client.subscribe(topic, 1)
    client.publish(topic, b"back", 1)
    assert client.message().payload == b"back"


def test_paho_uses_every_publish_property(connect, unique):
    """[MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-20]"""
    topic = unique("t")
    client = connect()
    props = Properties(PacketTypes.PUBLISH)
    props.PayloadFormatIndicator, props.MessageExpiryInterval, props.ContentType = 1, 100, "text/plain"
    props.ResponseTopic, props.CorrelationData = "answer", b"\x00\x01"
    props.UserProperty = [("b", "1"), ("a", "2")]
    client.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True))
    client.publish(topic, b"x", 1, True, properties=props)
    message = client.message()
    assert message.retain and message.properties.ContentType == "text/plain"
    assert message.properties.ResponseTopic == "answer" and message.properties.CorrelationData == b"\x00\x01"
    assert message.properties.UserProperty == [("b", "1"), ("a", "2")]
    client.publish(topic, b"", 1, True)


@pytest.mark.parametrize("version", VERSIONS)
def test_paho_gets_retained_messages_and_shares_subscriptions(connect, unique, version):
    """[MQTT-3.3.1-9] [MQTT-4.8.2-1]"""
    topic = unique("t")
    sender = connect(version)
    sender.publish(topic, b"kept", 1, True)
    late = connect(version)
    late.subscribe(topic, 1)
    message = late.message()
    assert message.retain and message.payload == b"kept"
    members = [connect(version) for _ in range(2)]
    both = queue.Queue()
    for member in members:
        member.messages = both
        member.subscribe(f"$share/g/{topic}/x", 1)
    for i in range(20):
        sender.publish(f"{topic}/x", b"%d" % i, 1)
    assert sorted(int(both.get(timeout=WAIT).payload) for _ in range(20)) == list(range(20))
    sender.publish(topic, b"", 1, True)
