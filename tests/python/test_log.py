"""The server's log in Python."""

import logging
import queue
import threading

from peer import PATIENCE, Peer

from comqtt import Server


def test_the_log_goes_to_logging_by_component(make_server, caplog):
    with caplog.at_level(logging.DEBUG, logger="comqtt"):
        server = make_server(log_level="debug")
        server.allow_all()
        server.add_debug_hook()
        with server:
            Peer.connected(server, "logged")
    names = {record.name for record in caplog.records}
    assert names and all(name.startswith("comqtt.") for name in names)


def test_a_logger_of_ones_own_gets_the_lines(make_server, caplog):
    with caplog.at_level(logging.DEBUG, logger="house"):
        server = make_server(log=logging.getLogger("house"), log_level="debug")
        server.allow_all()
        server.add_debug_hook()
        with server:
            Peer.connected(server, "logged")
    assert any(record.name.startswith("house.") for record in caplog.records)


def test_every_line_is_written_when_close_returns(make_server):
    lines = []
    server = make_server(log=lambda *line: lines.append(line), log_level="debug")
    server.allow_all()
    server.add_debug_hook()
    with server:
        for number in range(50):
            Peer.connected(server, f"client-{number}")
    assert sum("client-49" in message for _, _, message in lines) >= 1
    assert all(level in (10, 20, 30, 40) for level, _, _ in lines)


def test_a_log_function_may_use_the_server(make_server):
    seen = queue.Queue()
    server = make_server(log=lambda *line: seen.put(server.metrics()), log_level="debug")
    server.allow_all()
    server.add_debug_hook()
    server.start()
    Peer.connected(server, "x")
    assert seen.get(timeout=PATIENCE)["clients_total"] >= 0


def test_a_failing_callback_of_a_subscription_is_logged(make_server):
    lines = queue.Queue()

    def explode(message):
        raise ZeroDivisionError("boom")
    server = make_server(log=lambda *line: lines.put(line))
    with server:
        server.subscribe("t", explode)
        server.publish("t")
        while "boom" not in (line := lines.get(timeout=PATIENCE))[2]:
            pass
    assert line[:2] == (logging.ERROR, "python")


def test_a_server_without_log_starts_no_thread():
    before = threading.active_count()
    with Server(log=False, threads=1):
        assert threading.active_count() == before


def test_an_unknown_level_is_refused():
    try:
        Server(log_level="loud")
    except ValueError as error:
        assert "debug" in str(error)
    else:
        raise AssertionError("accepted")
