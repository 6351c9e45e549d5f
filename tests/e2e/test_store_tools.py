"""`comqtt store`: the program on stores that no broker is running on, and on what mosquitto left."""

import base64
import fcntl
import getpass
import json
import shutil
import sqlite3
import subprocess
import time

import pytest
from broker import Broker, free_port
from clients import Clients
from mqtt_packets import PUBCOMP, PUBREC, PUBREL

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
DAY = 86_400


@pytest.fixture
def store(comqtt_program):
    """store("check", path): the finished process of `comqtt store check path`."""
    def run(*words, code=0, **options):
        done = subprocess.run([comqtt_program.resolve(), "store", *map(str, words)], capture_output=True, timeout=60, **options)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done

    return run


class Mosquitto:
    """A mosquitto that keeps its sessions in a folder, until it is stopped."""

    def __init__(self, folder):
        port = free_port()
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
                            f"persistence_location {folder}/\nuser {getpass.getuser()}\n")  # started as root it would become another user

        self.database = folder / "mosquitto.db"
        self.broker = Broker(None, template=f"{MOSQUITTO} -c {settings}", port=port)
        self.clients = Clients(self.broker)

    def stop(self):
        self.clients.close()
        self.broker.stop()
        return self.database


@pytest.fixture
def mosquitto(tmp_path_factory):
    it = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield it
    it.stop()


@pytest.fixture
def sample(tmp_path, store):
    """A store with a thousand retained messages and a session with a queue."""
    lines = [{"type": "comqtt-store", "version": 1, "schema": 1},
             {"type": "session", "client_id": "sleeper", "username": "", "remote": "", "listener": "", "version": 5,
              "clean_start": 0, "expiry_interval": 4294967295, "disconnected_ms": 1, "will_delay": 0,
              "will_due_ms": 0},
             {"type": "subscription", "client_id": "sleeper", "filter": "a/#", "options": 1, "identifier": 0}]
    for number in range(1, 101):
        lines.append({"type": "message", "id": number, "created_ms": 1, "flags": 1, "topic": f"a/{number}",
                      "payload": base64.b64encode(bytes(300)).decode(), "origin": "me"})
    for number in range(1, 101):
        lines.append({"type": "queued", "client_id": "sleeper", "position": number, "message": number,
                      "packet_id": 0, "flags": 1, "size": 400, "expires_ms": 0})
    for number in range(1000):
        lines.append({"type": "retained", "topic": f"r/{number:04}", "created_ms": 1, "qos": 0,
                      "payload": base64.b64encode(b"x" * 100).decode(), "origin": "me"})
    lines.append({"type": "end", "records": len(lines) - 1})
    file = tmp_path / "sample.jsonl"
    file.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    store("import", tmp_path / "sample.db", file)
    return tmp_path / "sample.db"


def rows(path, query):
    with sqlite3.connect(path) as database:
        return database.execute(query).fetchall()


def damage(path, page, size=4096):
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x99" * size)


def test_the_program_names_its_tools(comqtt_program, store):
    text = subprocess.run([comqtt_program, "--help"], capture_output=True, text=True, timeout=10).stdout
    assert "store" in text
    text = store("--help").stdout.decode()
    assert all(word in text for word in ("check", "repair", "export", "import"))
    assert b"expected check, repair, export, import" in store(code=1).stderr
    store("mend", code=1)
    store("import", "only-one", code=1)


def test_a_sound_store_is_checked_and_counted(sample, store):
    text = store("check", sample).stdout.decode()
    assert text.endswith("sound\n")
    assert {"sessions: 1", "queued: 100", "retained: 1000"} <= set(text.splitlines())


def test_the_store_of_the_folder_is_meant_when_none_is_named(sample, store):
    sample.rename(sample.parent / "comqtt.db")
    assert b"sound" in store("check", cwd=sample.parent).stdout


def test_what_is_not_there_is_told(tmp_path, store):
    for words in (("check",), ("repair",), ("export",)):
        assert b"no such file" in store(*words, tmp_path / "none.db", code=1).stderr
    assert list(tmp_path.iterdir()) == []


def test_an_export_comes_back_the_same(sample, tmp_path, store):
    text = store("export", sample).stdout
    assert text == store("export", sample, "-").stdout
    store("export", sample, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == text
    assert not (tmp_path / "out.jsonl.part").exists()
    assert b"retained 1000" in store("import", tmp_path / "again.db", tmp_path / "out.jsonl").stdout
    assert store("export", tmp_path / "again.db").stdout == text
    first, *_, last = map(json.loads, text.splitlines())
    assert first["type"] == "comqtt-store" and last == {"type": "end", "records": 1202}


def test_an_export_that_cannot_be_written_says_so(comqtt_program, sample, tmp_path, store):
    assert b"No such file" in store("export", sample, tmp_path / "none" / "x", code=1).stderr
    with open("/dev/full", "wb") as full:
        done = subprocess.run([comqtt_program, "store", "export", str(sample)], stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"No space left" in done.stderr


def test_a_bad_line_is_told_and_nothing_is_imported(sample, tmp_path, store):
    lines = store("export", sample).stdout.splitlines(keepends=True)
    lines[500] = lines[500].replace(b'"qos":0', b'"qos":7')
    (tmp_path / "bad.jsonl").write_bytes(b"".join(lines))
    error = store("import", tmp_path / "new.db", tmp_path / "bad.jsonl", code=1).stderr
    assert b"line 501" in error and b"qos is out of range: 7" in error
    assert not (tmp_path / "new.db").exists()
    store("import", sample, tmp_path / "bad.jsonl", code=1)
    assert rows(sample, "SELECT count(*) FROM retained WHERE qos = 7") == [(0,)]


def test_a_store_in_use_is_refused(sample, store):
    with open(f"{sample}-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (("check", sample), ("repair", sample), ("export", sample), ("import", sample, sample)):
            store(*words, code=1)
        assert b"is in use" in store("check", sample, code=1).stderr
    store("check", sample)


def test_a_damaged_store_is_told_and_repaired(sample, store):
    pages = [page for page, in rows(sample, "SELECT pageno FROM dbstat WHERE name = 'retained' AND "
                                            "pagetype = 'leaf' ORDER BY path")]
    damage(sample, pages[len(pages) // 2])
    done = store("check", sample, code=1)
    assert b"problem: " in done.stdout and b"is damaged" in done.stderr
    text = store("repair", sample).stdout.decode()
    assert f"page {pages[len(pages) // 2]} is damaged" in text
    store("check", sample)
    (kept,), = rows(sample, "SELECT count(*) FROM retained")
    assert 900 < kept < 1000
    assert rows(sample, "SELECT count(*) FROM queue") == [(100,)]
    assert len(list(sample.parent.glob("sample.db.bad-*"))) == 1


def test_queued_messages_of_mosquitto_are_imported(mosquitto, tmp_path, store):
    """Sessions of 3.1.1 and 5.0 that are away, with what came meanwhile; retained messages."""
    for version, name in ((4, "old"), (5, "new")):
        fields = {"props": {"session_expiry": DAY}} if version == 5 else {}
        client = mosquitto.clients.connect(name, version=version, clean=False, **fields)
        options = {"props": {"subscription_id": 77}} if version == 5 else {}
        client.subscribe("news/#", qos=2, **options)
        client.disconnect()
    publisher = mosquitto.clients.connect("publisher")
    publisher.publish("news/1", b"one", qos=1)
    publisher.publish("news/2", bytes(range(256)), qos=2, props={"content_type": "text/plain", "user": [("k", "v")]})
    publisher.publish("news/3", b"kept", qos=1, retain=True, props={"message_expiry": DAY})
    publisher.publish("other", b"", qos=1, retain=True)
    publisher.publish("elsewhere", b"also kept", retain=True)
    database = mosquitto.stop()

    path = tmp_path / "s.db"
    assert b"mosquitto.db of version 6" in store("import", path, database).stdout
    store("check", path)
    assert rows(path, "SELECT client_id, version, expiry_interval FROM sessions ORDER BY 1") == [
        ("new", 5, DAY), ("old", 4, 4294967295)]
    assert rows(path, "SELECT client_id, filter, options, identifier FROM subscriptions, sessions "
                      "WHERE session = id ORDER BY 1") == [("new", "news/#", 2, 77), ("old", "news/#", 2, 0)]
    for name, identifiers in (("old", None), ("new", bytes([0, 0, 0, 77]))):
        found = rows(path, "SELECT topic, payload, q.flags, packet_id, identifiers, origin FROM queue q, messages m, "
                           f"sessions s WHERE q.message = m.id AND q.session = s.id AND client_id = '{name}' "
                           "ORDER BY position")
        assert found == [("news/1", b"one", 1, 0, identifiers, "publisher"),
                         ("news/2", bytes(range(256)), 2, 0, identifiers, "publisher"),
                         ("news/3", b"kept", 1, 0, identifiers, "publisher")]
    (properties, refs), = rows(path, "SELECT properties, refs FROM messages WHERE topic = 'news/2'")
    assert properties == b"\x03\x00\ntext/plain" + b"\x26\x00\x01k\x00\x01v" and refs == 2
    (expiry, expires_ms), = rows(path, "SELECT DISTINCT expiry, expires_ms FROM messages m, queue q "
                                       "WHERE topic = 'news/3' AND message = id")
    assert DAY - 60 < expiry <= DAY and abs(expires_ms / 1000 - time.time() - DAY) < 60
    assert rows(path, "SELECT topic, payload FROM retained ORDER BY 1") == [
        ("elsewhere", b"also kept"), ("news/3", b"kept")]


class InFlight:
    """Two sessions at a mosquitto that ends with messages at each step of QoS 1 and 2, in both directions."""

    def __init__(self, mosquitto):
        receiver = mosquitto.clients.connect("receiver", version=4, clean=False)
        receiver.subscribe("t", qos=2)
        sender = mosquitto.clients.connect("sender", clean=False, props={"session_expiry": DAY})
        sender.publish("t", b"acknowledged", qos=1)
        receiver.message("t", b"acknowledged")
        sender.publish("t", b"unacknowledged", qos=1)
        self.unacknowledged = receiver.unacknowledged_message("t", b"unacknowledged").packet_id
        sender.publish("t", b"not received", qos=2)
        self.not_received = receiver.unacknowledged_message("t", b"not received").packet_id
        sender.publish("t", b"not complete", qos=2)
        self.not_complete = receiver.unacknowledged_message("t", b"not complete").packet_id
        receiver.send_ack(PUBREC, self.not_complete)
        receiver.wait_for(PUBREL, self.not_complete)
        self.not_released = sender.send_publish("t", b"not released", qos=2)
        sender.wait_for(PUBREC, self.not_released)
        receiver.expect_nothing()
        receiver.drop()
        sender.drop()
        self.database = mosquitto.stop()


def test_messages_in_flight_at_mosquitto_are_imported(mosquitto, tmp_path, store):
    it = InFlight(mosquitto)
    path = tmp_path / "s.db"
    assert b"passed on" in store("import", path, it.database).stdout
    store("check", path)
    assert rows(path, "SELECT q.packet_id, q.flags, payload FROM queue q LEFT JOIN messages m ON q.message = m.id "
                      "ORDER BY position") == [(it.unacknowledged, 1, b"unacknowledged"),
                                               (it.not_received, 2, b"not received"),
                                               (it.not_complete, 10, None), (0, 2, b"not released")]
    assert rows(path, "SELECT client_id, packet_id FROM received, sessions WHERE session = id") == [
        ("sender", it.not_released)]


def test_clients_of_mosquitto_go_on_where_they_were(mosquitto, own_broker, tmp_path, store):
    it = InFlight(mosquitto)
    path = tmp_path / "s.db"
    store("import", path, it.database)
    mqtt = own_broker("storage-way=1", f"storage-path={path}")
    assert b"is in use" in store("check", path, code=1).stderr

    receiver = mqtt.connect("receiver", version=4, clean=False)
    assert receiver.connack.session_present
    receiver.referee.resumed([it.not_complete])
    receiver.message("t", b"unacknowledged", qos=1, packet_id=it.unacknowledged, dup=True)
    receiver.message("t", b"not received", qos=2, packet_id=it.not_received, dup=True)
    receiver.expect(PUBREL, packet_id=it.not_complete)
    receiver.send_ack(PUBCOMP, it.not_complete)
    receiver.message("t", b"not released", qos=2, dup=False)
    sender = mqtt.connect("sender", clean=False, props={"session_expiry": DAY})
    assert sender.connack.session_present
    sender.send_ack(PUBREL, it.not_released)
    sender.expect(PUBCOMP, packet_id=it.not_released, reason=0)
    sender.publish("t", b"new", qos=1)
    receiver.message("t", b"new", qos=1)
    receiver.expect_nothing(via=sender)

    receiver.disconnect()
    sender.disconnect()
    mqtt.broker.stop()
    assert {"sessions: 2", "queued: 0", "in flight: 0"} <= set(store("check", path).stdout.decode().splitlines())


def test_a_session_goes_with_an_export_to_another_broker(own_broker, tmp_path, store):
    path, other, lines = tmp_path / "here.db", tmp_path / "there.db", tmp_path / "lines"
    mqtt = own_broker("storage-way=1", f"storage-path={path}")
    forever = {"props": {"session_expiry": 0xFFFFFFFF}}
    sleeper = mqtt.connect("sleeper", clean=False, **forever)
    sleeper.subscribe("t/#", qos=2, props={"subscription_id": 5})
    sleeper.disconnect()
    publisher = mqtt.connect()
    for number in range(200):
        publisher.publish(f"t/{number}", b"%d" % number, qos=1 + number % 2, props={"content_type": "text/plain"})
    publisher.publish("r", b"kept", qos=1, retain=True)
    mqtt.broker.stop()
    store("check", path)
    store("export", path, lines)
    store("import", other, lines)

    there = own_broker("storage-way=1", f"storage-path={other}")
    sleeper = there.connect("sleeper", clean=False, **forever)
    assert sleeper.connack.session_present
    found = sleeper.messages(200)
    for qos in (1, 2):  # each in its order; QoS 2 waits for the commit of its packet identifiers
        assert [p.payload for p in found if p.qos == qos] == [b"%d" % n for n in range(200) if n % 2 == qos - 1]
    assert all(p.properties == {"subscription_id": [5], "content_type": "text/plain"} for p in found)
    sleeper.subscribe("r", qos=1)
    sleeper.message("r", b"kept", retain=True)


def test_a_damaged_mosquitto_file_is_refused_with_its_offset(mosquitto, tmp_path, store):
    client = mosquitto.clients.connect("c", version=4, clean=False)
    client.subscribe("a", qos=1)
    client.disconnect()
    whole = mosquitto.stop().read_bytes()
    for size in (16, 30, len(whole) - 1):
        (tmp_path / "cut.db").write_bytes(whole[:size])
        error = store("import", tmp_path / "s.db", tmp_path / "cut.db", code=1).stderr
        assert b"offset" in error
    (tmp_path / "other.db").write_bytes(whole[:22] + b"\x07" + whole[23:])
    assert b"version 7" in store("import", tmp_path / "s.db", tmp_path / "other.db", code=1).stderr
    assert not (tmp_path / "s.db").exists()
    store("import", tmp_path / "s.db", tmp_path / "cut.db", "--format", "json", code=1)
    store("import", tmp_path / "s.db", tmp_path / "cut.db", "--format", "yaml", code=1)
