"""paho-mqtt, a client that is not ours, against the embedded broker."""

import queue

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from peer import PATIENCE

from comqtt import ALLOW, DENY


@pytest.fixture
def listening(server):
    server.listen_tcp()
    return server


@pytest.fixture
def connect():
    """connect(port, protocol, ...): a paho client, its loop running, and the queue of what happens to it."""
    made = []

    def make(port, protocol=paho.MQTTv5, client_id="", username=None, password=None, accepted=True):
        seen = queue.Queue()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol)
        client.username_pw_set(username, password)
        client.on_connect = lambda *arguments: seen.put(("connect", arguments[3].value))
        client.on_subscribe = lambda *arguments: seen.put(("subscribe", [code.value for code in arguments[3]]))
        client.on_message = lambda _client, _user, message: seen.put(("message", message))
        client.on_disconnect = lambda *arguments: seen.put(("disconnect", arguments[3].value))
        client.connect("127.0.0.1", port)
        client.loop_start()
        made.append(client)
        code = seen.get(timeout=PATIENCE)
        assert not accepted or code == ("connect", 0)
        return client, seen

    yield make
    for client in made:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("protocol", [paho.MQTTv31, paho.MQTTv311, paho.MQTTv5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_go_from_paho_to_python_and_back(listening, connect, protocol, qos):
    received = queue.Queue()
    listening.subscribe("up", received.put, qos=2)
    client, seen = connect(listening.port, protocol, client_id="paho")
    client.subscribe("down", qos)
    assert seen.get(timeout=PATIENCE) == ("subscribe", [qos])
    client.publish("up", "hello", qos)
    message = received.get(timeout=PATIENCE)
    assert (message.payload, message.qos, message.origin) == (b"hello", qos, "paho")
    listening.publish("down", "and back", qos)
    kind, message = seen.get(timeout=PATIENCE)
    assert (kind, message.payload, message.qos) == ("message", b"and back", qos)


def test_properties_of_paho_arrive_in_python(listening, connect):
    received = queue.Queue()
    listening.subscribe("t", received.put)
    client, _ = connect(listening.port)
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = "answers"
    properties.CorrelationData = b"\1\2"
    properties.UserProperty = [("a", "1"), ("b", "2")]
    client.publish("t", "x", properties=properties)
    message = received.get(timeout=PATIENCE)
    assert message.properties["response_topic"] == "answers"
    assert message.properties["correlation_data"] == b"\1\2"
    assert message.user_properties == [("a", "1"), ("b", "2")]


def test_a_hook_judges_paho(make_server, connect):
    server = make_server()
    server.add_hook(on_connect_authenticate=lambda event, client, packet:
                    ALLOW if packet.password == b"open sesame" else DENY)
    server.listen_tcp()
    with server:
        connect(server.port, username="ali", password="open sesame")
        _, seen = connect(server.port, username="ali", password="open barley", accepted=False)


def test_paho_is_told_when_the_broker_disconnects_it(listening, connect):
    _, seen = connect(listening.port, client_id="paho")
    listening.disconnect("paho", 0x98)
    assert seen.get(timeout=PATIENCE) == ("disconnect", 0x98)
