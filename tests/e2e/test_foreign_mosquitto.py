"""mosquitto_pub and mosquitto_sub as foreign clients."""

import shutil
import subprocess
import threading

import pytest

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")
PUB, SUB = shutil.which("mosquitto_pub") or "mosquitto_pub", shutil.which("mosquitto_sub") or "mosquitto_sub"


def _pub(port, *arguments, data=None):
    result = subprocess.run([PUB, "-h", "127.0.0.1", "-p", str(port), *arguments], input=data, capture_output=True,
                            timeout=20)
    assert result.returncode == 0, result.stderr.decode()


class Sub:
    """A running mosquitto_sub whose subscription is known to be in force (-d says when)."""

    def __init__(self, port, *arguments):
        command = ["stdbuf", "-oL", SUB, "-d", "-W", "20", "-h", "127.0.0.1", "-p", str(port), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        while not (line := self._line()).startswith("Subscribed"):
            assert line, "mosquitto_sub ended before SUBACK"

    def _line(self):
        return self.process.stdout.readline().rstrip("\n")

    def payloads(self, count):
        """`count` lines that are not debugging output."""
        found = []
        while len(found) < count:
            line = self._line()
            if not line and self.process.poll() is not None:
                raise AssertionError(f"mosquitto_sub ended early: {found}")
            if line and not line.startswith(("Client ", "Subscribed", "Received ")):
                found.append(line)
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def sub(mqtt):
    running = []

    def start(*arguments):
        running.append(Sub(mqtt.port, *arguments))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ("0", "1", "2"))
def test_mosquitto_clients_publish_and_receive(mqtt, sub, unique, version, qos):
    """[MQTT-3.3.4-1] [MQTT-3.8.4-1]"""
    topic = unique("t")
    receiver = sub("-V", version, "-q", qos, "-t", topic, "-i", unique("m"))
    lines = [f"line {i}" for i in range(200)]
    _pub(mqtt.port, "-V", version, "-q", qos, "-t", topic, "-l", "-i", unique("m"),
         data="\n".join(lines).encode() + b"\n")
    assert receiver.payloads(200) == lines


@pytest.mark.parametrize("version", VERSIONS)
def test_mosquitto_clients_see_retained_messages(mqtt, unique, version):
    """[MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-9]"""
    topic = unique("t")
    _pub(mqtt.port, "-V", version, "-t", topic, "-m", "kept", "-r", "-q", "1")
    result = subprocess.run([SUB, "-V", version, "-h", "127.0.0.1", "-p", str(mqtt.port), "-t", topic, "-C", "1",
                             "-W", "10", "-F", "%r %p"], capture_output=True, text=True, timeout=20)
    assert result.stdout == "1 kept\n"
    _pub(mqtt.port, "-V", version, "-t", topic, "-n", "-r", "-q", "1")
    late = mqtt.connect()
    late.subscribe(topic)
    late.expect_nothing()


@pytest.mark.parametrize("version", ("mqttv311", "mqttv5"))
def test_mosquitto_clients_share_a_subscription(mqtt, sub, unique, version):
    """[MQTT-4.8.2-1]"""
    topic, count = unique("t"), 100
    members = [sub("-V", version, "-q", "1", "-t", f"$share/g/{topic}", "-i", unique("m")) for _ in range(2)]
    found, lock, done = [], threading.Lock(), threading.Event()

    def read(member):
        try:
            while not done.is_set():
                payload = member.payloads(1)[0]
                with lock:
                    found.append(payload)
                    if len(found) == count:
                        done.set()
        except (AssertionError, ValueError):
            pass  # the program was ended

    for member in members:
        threading.Thread(target=read, args=(member,), daemon=True).start()
    lines = [f"line {i}" for i in range(count)]
    _pub(mqtt.port, "-V", version, "-q", "1", "-t", topic, "-l", data="\n".join(lines).encode() + b"\n")
    assert done.wait(15), f"{len(found)} of {count}"
    assert sorted(found) == sorted(lines)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_killed_mosquitto_sub_leaves_its_will(mqtt, sub, unique, version):
    """[MQTT-3.1.2-8]"""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic, qos=1)
    client = sub("-V", version, "-t", unique("t"), "-i", unique("m"), "--will-topic", topic, "--will-payload", "gone",
                 "--will-qos", "1")
    client.process.kill()
    watcher.message(topic, b"gone", qos=1)


def test_mosquitto_clients_use_v5_properties(mqtt, unique):
    """[MQTT-3.3.2-17] [MQTT-3.3.2-20]"""
    topic = unique("t")
    watcher = mqtt.connect()
    watcher.subscribe(topic, qos=1)
    _pub(mqtt.port, "-V", "mqttv5", "-t", topic, "-m", "x", "-q", "1", "-D", "publish", "content-type", "text/plain",
         "-D", "publish", "user-property", "k", "v", "-D", "publish", "response-topic", "answer")
    assert watcher.message(topic, b"x").properties == {"content_type": "text/plain", "user": [("k", "v")],
                                                       "response_topic": "answer"}


def test_mosquitto_sub_resumes_a_persistent_session(mqtt, unique):
    """[MQTT-3.1.2-5] [MQTT-4.5.0-1]"""
    topic, name = unique("t"), unique("m")
    command = [SUB, "-V", "mqttv311", "-h", "127.0.0.1", "-p", str(mqtt.port), "-c", "-i", name, "-q", "1", "-t", topic]
    assert subprocess.run([*command, "-E"], timeout=10).returncode == 0
    for i in range(5):
        _pub(mqtt.port, "-t", topic, "-m", str(i), "-q", "1")
    result = subprocess.run([*command, "-C", "5", "-W", "10"], capture_output=True, text=True, timeout=20)
    assert result.stdout.split() == ["0", "1", "2", "3", "4"]
