"""What the program says: errors of the command line, log lines, signals; and that it touches nothing it should not."""

import re
import signal
import socket
import sqlite3
import subprocess
import time

import mqtt_packets as mp
import pytest
from broker import TIME_FACTOR, Broker, free_port
from clients import Clients
from mqtt_wire import WireClient

DEADLINE = 10 * TIME_FACTOR


def _refused(program, *arguments, folder=None) -> str:
    """What the program says that does not run with these arguments. It ends at once, with an exit code for failure."""
    done = subprocess.run([program.resolve(), *map(str, arguments)], capture_output=True, text=True, cwd=folder,
                          timeout=DEADLINE, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, f"exit code {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def _contents(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


@pytest.fixture
def program_with(comqtt_program):
    """program_with(argument, ...): clients of a broker of this test alone with one thread; its log is complete."""
    made = []

    def make(*arguments, storage=("--storage-way", "0")):
        port = free_port()
        command = [comqtt_program, "--tcp", f"127.0.0.1:{port}", "--threads", "1", *storage, *arguments]
        made.append(Clients(Broker(comqtt_program, template=" ".join(map(str, command)), port=port)))
        return made[-1]

    yield make
    for clients in made:
        clients.close()
        clients.broker.stop()


def _wait_for_line(broker, pattern):
    deadline = time.monotonic() + DEADLINE
    while not (found := re.search(pattern, broker.log(), re.M)):
        assert time.monotonic() < deadline, f"no line {pattern!r} in:\n{broker.log()}"
        assert broker.alive() or re.search(pattern, broker.log(), re.M), broker.log()
        time.sleep(0.01)  # the log is a file: there is nothing to wait on
    return found.string[found.string.rfind("\n", 0, found.start()) + 1:].split("\n")[0]


# ---- the command line


@pytest.mark.parametrize("address, words", [
    ("[::1]", "no port"), ("::1", "[::1]:1883"), ("fe80::1:1883", "brackets"), ("localhost", "HOST:PORT"),
    ("", "HOST:PORT"), ("127.0.0.1:", "no port"), ("127.0.0.1:99999", "0 to 65535"), ("127.0.0.1:mqtt", "0 to 65535"),
    ("[::1:1883", "bracket"),
])
def test_a_bad_tcp_address_is_told_with_its_form(comqtt_program, address, words):
    said = _refused(comqtt_program, "--storage-way", 0, "--tcp", address)
    assert words in said and repr(address) in said


@pytest.mark.parametrize("path, words", [
    ("file", "not a socket"), ("folder", "a folder"), ("", "1 to 107 bytes"), ("x" * 108, "1 to 107 bytes"),
    ("nowhere/socket", "No such file"),
])
def test_a_bad_unix_path_is_told_and_nothing_there_is_touched(comqtt_program, tmp_path, path, words):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    before = _contents(tmp_path)
    said = _refused(comqtt_program, "--storage-way", 0, "--unix", path, folder=tmp_path)
    assert words in said and repr(path) in said
    assert _contents(tmp_path) == before


def test_a_unix_socket_in_use_is_told_and_left(comqtt_program, tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "socket"))
        other.listen()
        assert "in use" in _refused(comqtt_program, "--storage-way", 0, "--unix", tmp_path / "socket")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(tmp_path / "socket"))


@pytest.mark.parametrize("arguments, words", [
    (("store", "frob"), ("frob", "check, repair, export, import")), (("store",), ("check, repair, export, import",)),
    (("store", "check", ""), ("PATH", "empty")), (("frob",), ("frob",)), (("--frob",), ("--frob",)),
    (("store", "check", "a", "b"), ("b",)),
    (("--set", "clock=manual"), ("clock=manual", "system")), (("--set", "options.clock=manual"), ("clock", "system")),
    (("--storage-path", ""), ("--storage-path", "empty")), (("--set", "storage-path="), ("storage-path", "bytes")),
    (("--storage-way", "0", "--set", "storage-way=1"), ("--storage-way 0", "storage-way=1")),
    (("--storage-path", "a.db", "--set", "storage-path=b.db"), ("--storage-path a.db", "storage-path=b.db")),
    (("--durability", "strict", "--set", "storage.durability=relaxed"), ("--durability strict", "durability=relaxed")),
    (("--sync", "full", "--set", "mqtt.options.storage.sync=off"), ("--sync full", "sync=off")),
    (("--threads", "2", "--set", "threads=3"), ("--threads 2", "threads=3")),
    (("--log-level", "debug", "--set", "log-level=error"), ("--log-level debug", "log-level=error")),
    (("--set", "log-level=loud"), ("log-level", "loud")),
])
def test_what_cannot_be_meant_is_an_error_that_names_it(comqtt_program, tmp_path, arguments, words):
    said = _refused(comqtt_program, *arguments, folder=tmp_path)
    assert all(word in said for word in words), said
    assert not list(tmp_path.iterdir())


def test_an_option_may_be_given_by_either_name(program_with):
    clients = program_with("--set", "storage-way=0", "--set", "log-level=debug", storage=())
    clients.connect()
    _wait_for_line(clients.broker, "debug broker: .*connected")


# ---- the store's path


@pytest.mark.parametrize("kind, words", [
    ("text", "not a store"), ("short text", "not a store"), ("other database", "another program"),
    ("folder", "a folder"), ("pipe", "not a file"), ("device", "not a file"),
])
def test_what_was_never_a_store_is_an_error_and_untouched(comqtt_program, tmp_path, kind, words):
    import os
    path = tmp_path / "precious"
    if kind == "text":
        path.write_text("a shopping list\n" * 1000)
    elif kind == "short text":
        path.write_text("x")
    elif kind == "other database":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE sessions (x)")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    before = path.stat()
    names = sorted(each.name for each in tmp_path.iterdir())
    content = path.read_bytes() if path.is_file() else None
    said = _refused(comqtt_program, "--tcp", "127.0.0.1:0", "--storage-path", path)
    assert words in said and "precious" in said, said
    assert "hook" not in said and "'sqlite'" not in said
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert path.stat().st_ino == before.st_ino and path.stat().st_mtime_ns == before.st_mtime_ns
    assert content is None or path.read_bytes() == content


def test_an_empty_file_becomes_a_store(program_with, tmp_path):
    path = tmp_path / "new.db"
    path.touch()
    program_with(storage=("--storage-path", path)).connect().ping()
    assert path.stat().st_size


def test_a_store_in_use_is_told_as_another_brokers(program_with, comqtt_program, tmp_path):
    path = tmp_path / "store.db"
    program_with(storage=("--storage-path", path))
    said = _refused(comqtt_program, "--tcp", "127.0.0.1:0", "--storage-path", path)
    assert "another broker" in said and str(path) in said and "hook" not in said


# ---- signals


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_a_signal_without_a_meaning_is_harmless_and_said(program_with, name):
    clients = program_with()
    client = clients.connect()
    clients.broker.process.send_signal(getattr(signal, name))
    line = _wait_for_line(clients.broker, name)
    assert " info " in line
    client.ping()
    clients.broker.terminate()
    assert clients.broker.wait() == 0


@pytest.mark.parametrize("first, second", [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGTERM")])
def test_a_second_signal_hastens_the_end(program_with, unique, first, second):
    """A client that does not close its connection is waited for, unless a signal to stop comes again."""
    def seconds(*signals):
        clients = program_with()
        clients.connect(unique("c"))
        started = time.monotonic()
        for each, line in zip(signals, ("stopping on " + first, "at once")):
            clients.broker.process.send_signal(getattr(signal, each))
            _wait_for_line(clients.broker, line)
        assert clients.broker.wait() == 0
        return time.monotonic() - started

    patient = seconds(first)
    assert min(seconds(first, second) for _ in range(3)) < patient


def test_sighup_while_stopping_does_not_hasten(program_with, unique):
    clients = program_with()
    clients.connect(unique("c"))
    clients.broker.terminate()
    _wait_for_line(clients.broker, "stopping on SIGTERM")
    clients.broker.process.send_signal(signal.SIGHUP)
    assert clients.broker.wait() == 0
    assert "at once" not in clients.broker.log()


# ---- log lines


def test_the_level_is_a_whole_word(program_with):
    clients = program_with("--set", "capabilities.maximum-qos=1")
    clients.open().send(mp.connect("c", will=mp.Will("w", qos=2)))
    line = _wait_for_line(clients.broker, "refused")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} warn  broker: ", line), line
    assert "held back" not in line


def test_at_debug_each_connection_has_a_line_when_it_comes_and_when_it_goes(program_with, unique):
    clients = program_with("--log-level", "debug")
    name = unique("c")
    client = clients.connect(name, props={"session_expiry": 100})
    line = _wait_for_line(clients.broker, rf"{name}.*connected")
    assert " debug " in line and "127.0.0.1:" in line and "MQTT 5.0" in line and "keep alive" in line
    assert "new session" in line
    client.disconnect()
    line = _wait_for_line(clients.broker, rf"{name}.*connection ended")
    assert " debug " in line and "the client disconnected" in line and "session kept" in line and "no will" in line

    again = clients.connect(name, clean=False, props={"session_expiry": 0}, will=mp.Will("w", b"x"))
    assert "session present" in _wait_for_line(clients.broker, rf"{name}.*session present")
    again.drop()
    line = _wait_for_line(clients.broker, rf"{name}.*connection ended.*the client closed")
    assert " info " in line and "will" in line and "session ended" in line


def test_a_take_over_and_a_client_that_falls_silent_are_told_at_info(program_with, unique):
    clients = program_with()
    name = unique("c")
    old = clients.connect(name)
    new = clients.connect(name, keep_alive=1)
    old.expect_disconnect(0x8E)
    line = _wait_for_line(clients.broker, rf"{name}.*connected again")
    assert " info " in line and "0x8E" in line and "MQTT-3.1.4-3" in line
    line = _wait_for_line(clients.broker, rf"{name}.*0x8D")
    assert " info " in line and "keep alive" in line.lower()
    new.drop()
    # one line for each end
    ends = [each for each in clients.broker.log().splitlines() if name in each and "connection ended" in each]
    assert len(ends) == 2, ends


def test_a_refusal_or_a_protocol_error_is_one_line(program_with, unique):
    clients = program_with("--set", "capabilities.maximum-qos=1", "--log-level", "debug")
    refused, broken = unique("refused"), unique("broken")
    clients.open().send(mp.connect(refused, will=mp.Will("w", qos=2)))
    _wait_for_line(clients.broker, rf"{refused}.*0x9B.*MQTT-3.2.2-12")
    client = clients.connect(broken)
    client.send(b"\x00\x00")
    client.expect_disconnect(0x81, 0x82)
    _wait_for_line(clients.broker, rf"{broken}.*0x8[12] .*at byte")
    clients.broker.stop()
    for name in (refused, broken):
        lines = [each for each in clients.broker.log().splitlines() if name in each and "connected, " not in each]
        assert len(lines) == 1, lines


def test_many_ends_in_one_second_are_counted_rather_than_written(program_with, unique):
    clients = program_with()
    name, count = unique("c"), 60
    for _ in range(count):
        client = WireClient(clients.port)
        client.connect(name)  # each takes the place of the one before
    deadline = time.monotonic() + DEADLINE
    while "such lines held back" not in clients.broker.log():
        assert time.monotonic() < deadline, clients.broker.log()
        again = WireClient(clients.port)
        again.connect(name)
        time.sleep(0.05)  # the window of the limiter is a second of the clock
    assert "; 0 such lines" not in clients.broker.log()
