"""Every example is run as its readers run it, and used by a foreign client."""

import queue
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

HERE = Path(__file__).resolve().parent
PATIENCE = 20


@contextmanager
def running(name: str, seconds: float, *more: str, kill: bool = False):
    """An example on a free port: (process, port). It has to end by itself, with exit code 0, or is killed."""
    process = subprocess.Popen([sys.executable, str(HERE / name), "--port", "0", "--seconds", str(seconds), *more],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        words = process.stdout.readline().split()
        assert words[:3] == ["listening", "on", "port"], " ".join(words) + process.stdout.read()
        yield process, int(words[3])
        if kill:
            return
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def client_of(port: int, username=None, password=None, session=None):
    """A paho client on protocol 5 and the queue of what happens to it. `session`: id of one that lasts."""
    seen = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2, session or "", protocol=paho.MQTTv5)
    client.username_pw_set(username, password)
    client.on_connect = lambda *arguments: seen.put(("connect", arguments[3].value))
    client.on_subscribe = lambda *arguments: seen.put(("subscribe", [code.value for code in arguments[3]]))
    client.on_message = lambda _client, _user, message: seen.put(("message", message))
    client.on_publish = lambda *arguments: seen.put(("publish", arguments[3].value))
    lasting = Properties(PacketTypes.CONNECT)
    if session:
        lasting.SessionExpiryInterval = 1000
    client.connect("127.0.0.1", port, clean_start=not session, properties=lasting)
    client.loop_start()
    try:
        yield client, seen
    finally:
        client.disconnect()
        client.loop_stop()


def test_the_broker_serves_foreign_clients_and_ends_by_itself():
    with running("broker.py", 2) as (_, port), client_of(port) as (client, seen):
        assert seen.get(timeout=PATIENCE) == ("connect", 0)
        client.subscribe("greeting", 1)
        assert seen.get(timeout=PATIENCE) == ("subscribe", [1])
        client.publish("greeting", "hello", 1)
        arrived = dict(seen.get(timeout=PATIENCE) for _ in range(2))
        assert arrived["message"].payload == b"hello"
        assert arrived["publish"] == 0


def test_the_hooks_let_alice_write_and_say_who_sent_a_message():
    with running("hooks.py", 2) as (_, port), client_of(port, "guest") as (guest, to_guest):
        assert to_guest.get(timeout=PATIENCE) == ("connect", 0)
        guest.subscribe("#", 0)
        assert to_guest.get(timeout=PATIENCE) == ("subscribe", [0])
        with client_of(port, "alice", "wonderland") as (alice, to_alice):
            assert to_alice.get(timeout=PATIENCE) == ("connect", 0)
            alice.publish("drafts/story", "not yet", 1)
            assert to_alice.get(timeout=PATIENCE)[0] == "publish"
            alice.publish("story", "once upon a time", 1)
        kind, message = to_guest.get(timeout=PATIENCE)
        assert (kind, message.topic) == ("message", "story")
        assert message.properties.UserProperty == [("sender", "alice")]


@pytest.mark.parametrize("username, password", [("alice", "looking glass"), ("mallory", None)])
def test_the_hooks_refuse_a_wrong_password(username, password):
    with running("hooks.py", 2) as (_, port), client_of(port, username, password) as (_, seen):
        assert seen.get(timeout=PATIENCE) == ("connect", 0x86)


def test_the_hooks_refuse_what_a_guest_publishes():
    with running("hooks.py", 2) as (_, port), client_of(port, "guest") as (guest, seen):
        assert seen.get(timeout=PATIENCE) == ("connect", 0)
        guest.publish("story", "mine", 1)
        assert seen.get(timeout=PATIENCE) == ("publish", 0x87)


def test_the_publisher_receives_its_own_messages_and_serves_others():
    with running("publish.py", 2) as (process, port):
        with client_of(port) as (client, seen):
            assert seen.get(timeout=PATIENCE) == ("connect", 0)
            client.subscribe("clock", 0)
            assert seen.get(timeout=PATIENCE)[0] == "subscribe"
            assert seen.get(timeout=PATIENCE)[0] == "message"
        output = process.stdout.read()
    assert "house/door = open" in output
    assert "house/kitchen = 21.5 [('unit', 'celsius')]" in output
    assert "house/hall = 19.0" in output


def test_the_store_keeps_what_was_acknowledged_when_the_process_is_killed(tmp_path):
    file = ["--file", str(tmp_path / "state.db")]
    with running("store.py", PATIENCE, *file, kill=True) as (_, port):
        with client_of(port, session="lasting") as (client, seen):
            assert seen.get(timeout=PATIENCE) == ("connect", 0)
            client.subscribe("news/#", 1)
            assert seen.get(timeout=PATIENCE) == ("subscribe", [1])
        with client_of(port) as (client, seen):
            assert seen.get(timeout=PATIENCE) == ("connect", 0)
            for number in range(3):
                client.publish("news/today", str(number), 1)
                assert seen.get(timeout=PATIENCE) == ("publish", 0)
            client.publish("kept", "here", 1, retain=True)
            assert seen.get(timeout=PATIENCE)[0] == "publish"
    with running("store.py", 2, *file) as (_, port):
        with client_of(port, session="lasting") as (client, seen):
            assert seen.get(timeout=PATIENCE) == ("connect", 0)
            messages = [seen.get(timeout=PATIENCE)[1] for _ in range(3)]
            assert [message.payload for message in messages] == [b"0", b"1", b"2"]
            client.subscribe("kept", 0)
            arrived = dict(seen.get(timeout=PATIENCE) for _ in range(2))
            assert arrived["message"].payload == b"here"
