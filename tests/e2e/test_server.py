"""The program as a whole: start, stop, options, $SYS, and closing without losing the last packet."""

import signal
import socket
import subprocess
import time

import pytest

import mqtt_packets as mp
from broker import TIME_FACTOR, Broker, free_port
from mqtt_packets import Will
from mqtt_wire import Closed, WireClient

VERSIONS = (3, 4, 5)


def test_it_listens_within_half_a_second_and_ends_on_sigterm_with_0(own_broker):
    """[MQTT-4.2-1]"""
    clients = own_broker()
    assert clients.broker.start_seconds < 0.5 * TIME_FACTOR
    clients.connect().ping()
    start = time.monotonic()
    clients.broker.terminate()
    assert clients.broker.wait() == 0
    assert time.monotonic() - start < 2 * TIME_FACTOR


@pytest.mark.parametrize("version", VERSIONS)
def test_a_shutdown_sends_disconnect_0x8b(own_broker, unique, version):
    """[MQTT-3.14.0-1] [MQTT-3.14.2-1] [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-3.14.2-2] 3.x clients are only closed."""
    clients = own_broker()
    early = clients.open(version)  # accepted before those that follow
    connected = [clients.connect(unique("c"), version) for _ in range(5)]
    clients.broker.terminate()
    for client in connected:
        client.expect_disconnect(0x8B)
    early.expect_closed()
    assert clients.broker.wait() == 0


def test_a_client_that_never_reads_does_not_delay_the_shutdown(own_broker, unique):
    """[MQTT-3.14.4-2]"""
    clients = own_broker()
    stuck, publisher, topic = clients.connect(receive_buffer=4096), clients.connect(), unique("t")
    stuck.subscribe(topic)
    for _ in range(8):
        publisher.send_publish(topic, b"x" * 100_000)
    start = time.monotonic()
    clients.broker.terminate()
    assert clients.broker.wait() == 0
    assert time.monotonic() - start < 2.2 * TIME_FACTOR


def test_it_restarts_on_the_same_port_at_once(own_broker):
    """[MQTT-4.2-1]"""
    first = own_broker()
    client = first.connect()
    first.broker.terminate()
    client.expect_disconnect(0x8B)
    assert first.broker.wait() == 0
    second = own_broker(port=first.port)
    second.connect().ping()
    assert second.broker.start_seconds < 0.5 * TIME_FACTOR


def test_sigint_ends_it_too(own_broker):
    """[MQTT-3.14.4-2]"""
    clients = own_broker()
    clients.broker.process.send_signal(signal.SIGINT)
    assert clients.broker.wait() == 0


def _run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("setting, hint", [
    ("capabilities.recieve-maximum=20", "capabilities.receive-maximum"), ("limits.conections=5", "limits.connections"),
    ("capabilities.maximum-qoss=1", "capabilities.maximum-qos"),
])
def test_an_unknown_option_is_an_error_that_names_the_nearest_one(comqtt_program, setting, hint):
    """Misspelt keys must not be ignored."""
    result = _run(comqtt_program, "--tcp", f"127.0.0.1:{free_port()}", "--set", setting)
    assert result.returncode != 0
    assert hint in result.stdout + result.stderr
    assert setting.split("=")[0] in result.stdout + result.stderr


@pytest.mark.parametrize("setting", ["capabilities.maximum-qos=3", "capabilities.receive-maximum=0",
                                     "capabilities.receive-maximum=70000", "capabilities.receive-maximum=many",
                                     "capabilities.receive-maximum=", "capabilities.receive-maximum", "=5"])
def test_a_value_that_cannot_be_is_an_error_that_names_the_key(comqtt_program, setting):
    """Before anything listens."""
    result = _run(comqtt_program, "--tcp", f"127.0.0.1:{free_port()}", "--set", setting)
    assert result.returncode != 0
    assert setting.split("=")[0] in result.stdout + result.stderr


def test_a_port_that_is_taken_is_an_error(own_broker, comqtt_program):
    """With a text that names the address."""
    port = own_broker().port
    result = _run(comqtt_program, "--tcp", f"127.0.0.1:{port}")
    assert result.returncode != 0 and str(port) in result.stdout + result.stderr


@pytest.mark.parametrize("address", ("127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "nowhere:x", ""))
def test_a_bad_listen_address_is_an_error(comqtt_program, address):
    """Not a listener somewhere else."""
    assert _run(comqtt_program, "--tcp", address).returncode != 0


def test_several_listeners_serve_the_same_broker(comqtt_program, unique, threads):
    """[MQTT-4.2-1]"""
    extra = free_port()
    broker = Broker(comqtt_program, threads=threads, template=f"{comqtt_program} --storage-way 0 --tcp 127.0.0.1:{{port}} "
                    f"--tcp 127.0.0.1:{extra} --threads {threads}")
    try:
        broker.wait_until_listening(extra)
        one, other, topic = WireClient(broker.port), WireClient(extra), unique("t")
        for client in (one, other):
            client.connect(unique("c"))
        one.subscribe(topic)
        other.send_publish(topic, b"x")
        one.message(topic, b"x")
    finally:
        assert broker.stop() == 0


SYS_TOPICS = ("version time started uptime load/bytes/received load/bytes/sent clients/connected clients/disconnected "
              "clients/maximum clients/total packets/received packets/sent messages/received messages/sent "
              "messages/dropped messages/inflight retained subscriptions system/memory system/threads").split()


def test_sys_topics_are_there_at_once_and_change_each_second(own_broker, unique):
    """[MQTT-4.7.2-1] [MQTT-3.3.1-9]"""
    clients = own_broker("sys-topic-resend-interval=1")
    client = clients.connect()
    client.subscribe("$SYS/#")
    first, last = {}, {}

    def take():
        message = client.message()
        assert message.qos == 0
        name = message.topic.removeprefix("$SYS/broker/")
        first.setdefault(name, message)
        last[name] = message.payload

    while len(first) < len(SYS_TOPICS):
        take()
    assert set(first) == set(SYS_TOPICS)
    assert all(m.payload.isdigit() for name, m in first.items() if name != "version")
    extra = clients.connect(unique("c"))
    extra.publish(unique("t"), b"x", 1, retain=True)
    wanted = {"clients/connected": b"2", "clients/maximum": b"2", "subscriptions": b"1"}
    deadline = time.monotonic() + 10 * TIME_FACTOR
    while not wanted.items() <= last.items():
        assert time.monotonic() < deadline, last
        take()
    assert abs(int(first["time"].payload) - time.time()) < 5


def test_a_sys_value_that_has_not_changed_is_not_sent_again(own_broker):
    """[MQTT-3.3.1-9] Whoever subscribes later gets it all the same: it is retained."""
    clients = own_broker("sys-topic-resend-interval=1")
    client = clients.connect()
    for name in ("version", "started", "uptime"):
        client.subscribe(f"$SYS/broker/{name}")
    seen = [client.message().topic.removeprefix("$SYS/broker/") for _ in range(6)]
    assert seen.count("version") == 1 and seen.count("started") == 1 and seen.count("uptime") == 4
    late = clients.connect()
    late.subscribe("$SYS/broker/version")
    assert late.message("$SYS/broker/version").retain


def test_sys_topics_can_be_switched_off(mqtt_with):
    """[MQTT-4.7.2-1]"""
    client = mqtt_with("sys-topic-resend-interval=0").connect()
    client.subscribe("$SYS/#")
    client.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
def test_unread_input_does_not_turn_the_last_packet_into_a_reset(mqtt, unique, version):
    """[MQTT-3.14.4-2] [MQTT-4.13.2-1] 256 KiB follow the malformed packet; the DISCONNECT arrives, then the end."""
    client = mqtt.connect(unique("c"), version)
    rest = mp.publish(unique("t"), b"x" * 1000, version=version) * 256
    client.send(b"\x00\x00" + rest)
    client.expect_disconnect(0x81, 0x82)


def test_a_refused_connect_with_a_flood_behind_it_still_gets_its_connack(mqtt_with, unique):
    """[MQTT-3.1.4-6] [MQTT-3.2.2-7]"""
    mqtt = mqtt_with("capabilities.maximum-qos=1")
    client = mqtt.open()
    client.send(mp.connect(unique("c"), will=Will("w", qos=2)) + mp.publish(unique("t"), b"x" * 1000) * 200)
    client.expect(mp.CONNACK, reason=0x9B)
    client.expect_closed()


def test_a_client_with_deliveries_it_has_not_read_gets_them_and_then_the_disconnect(mqtt, unique):
    """[MQTT-3.14.4-1] [MQTT-3.14.4-2]"""
    topic, name = unique("t"), unique("c")
    client = mqtt.connect(name)
    client.subscribe(topic)
    publisher = mqtt.connect()
    for i in range(200):
        publisher.send_publish(topic, b"%d" % i + b"x" * 1000)
    publisher.publish(topic, b"last", 1)
    client.settle(publisher)
    client.send(mp.connect(unique("c")))
    assert len(client.inbox) == 201
    client.expect_disconnect(0x82)


def test_a_client_that_shuts_down_its_sending_side_still_gets_its_answers(mqtt, unique):
    """[MQTT-3.8.4-1] Half-close: what was sent before is answered, then the broker closes too."""
    for _ in range(50):  # a race between the last bytes and the end of the stream
        topic = unique("t")
        client = mqtt.connect()
        client.send(mp.subscribe(1, [(topic, 0)]), mp.publish(topic, b"x", 1, packet_id=2))
        client.socket.shutdown(socket.SHUT_WR)
        seen = []
        try:
            while True:
                seen.append(client.read().type)
        except Closed:
            pass
        assert mp.SUBACK in seen and mp.PUBACK in seen
        client.drop()


def test_after_disconnect_the_broker_closes_and_ignores_the_rest(mqtt, unique):
    """[MQTT-3.14.4-2] [MQTT-3.14.4-1]"""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic)
    client = mqtt.connect()
    client.send(mp.disconnect(), mp.publish(topic, b"too late"))
    client.expect_closed()
    watcher.expect_nothing(via=mqtt.connect())


def test_a_passive_disconnect_leaves_the_closing_to_the_client(mqtt_with, unique):
    """The compatibility option `passive-client-disconnect`: the packet is sent, the socket stays open for a while."""
    client = mqtt_with("capabilities.compatibilities.passive-client-disconnect=true").connect(unique("c"))
    client.send_publish("a/+", b"x")
    assert client.expect(mp.DISCONNECT).reason in (0x81, 0x82, 0x90)
    client.drop()
