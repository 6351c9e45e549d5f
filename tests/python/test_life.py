"""A server's life: options, start, stop, close, several in one process."""

import threading

import pytest
from peer import PATIENCE, Peer

import comqtt
from comqtt import Error, PacketType, Reason, Server, State, Status


def test_a_server_goes_from_new_to_running_to_stopped(make_server):
    server = make_server()
    assert server.state == State.NEW
    server.start()
    assert server.state == State.RUNNING
    server.stop()
    assert server.state == State.STOPPED


def test_a_with_block_starts_and_closes_the_server(make_server):
    with make_server() as server:
        assert server.state == State.RUNNING
    with pytest.raises(Error) as caught:
        server.metrics()
    assert caught.value.status == Status.CLOSED
    assert server.state == State.STOPPED


def test_close_may_be_called_again_and_before_start(make_server):
    server = make_server()
    server.close()
    server.close()


def test_a_second_start_is_an_error_of_state(server):
    with pytest.raises(Error) as caught:
        server.start()
    assert caught.value.status == Status.STATE
    assert caught.value.status_name == "COMQTT_ERR_STATE"


def test_wait_tells_whether_the_server_has_stopped(server):
    assert server.wait(0) is False
    server.stop(wait=False)
    assert server.wait(PATIENCE) is True


def test_run_returns_when_another_thread_stops_the_server(make_server):
    server = make_server()
    started = threading.Event()
    server.add_hook(on_started=lambda event: started.set())
    runner = threading.Thread(target=server.run)
    runner.start()
    assert started.wait(PATIENCE)
    server.stop()
    runner.join(PATIENCE)
    assert not runner.is_alive()


def test_stop_tells_clients_why_they_are_disconnected(server):
    peer = Peer.connected(server, "guest")
    server.stop(drain=5, wait=False)
    assert peer.expect(PacketType.DISCONNECT).reason == Reason.SERVER_SHUTTING_DOWN
    assert peer.receive() is None


def test_options_are_keyed_like_the_yaml_file(make_server):
    server = make_server({"capabilities": {"receive-maximum": 20}, "limits.connections": 7},
                         capabilities={"retain_available": False})
    assert server.option("capabilities.receive-maximum") == "20"
    assert server.option("capabilities.retain-available") == "false"
    assert server.option("limits.connections") == "7"


def test_an_unknown_option_is_refused_by_its_name():
    with pytest.raises(Error, match="receive-maximum") as caught:
        Server({"capabilities": {"recieve-maximum": 20}})
    assert caught.value.status == Status.CONFIG


def test_an_unknown_option_to_read_is_a_key_error(make_server):
    with pytest.raises(KeyError):
        make_server().option("no-such-option")


def test_every_option_has_a_default_that_a_server_takes(make_server):
    table = Server.option_table()
    assert len(table) > 20
    make_server({key: default for key, default, _ in table}, threads=1, sys_topic_resend_interval=1)


def test_two_servers_in_one_process_know_nothing_of_each_other(make_server):
    first, second = make_server(), make_server()
    for each in (first, second):
        each.allow_all()
        each.start()
    first.publish("kept", "here", retain=True)
    Peer.connected(first, "same")
    assert second.retained() == []
    assert second.client("same") is None


def test_the_version_is_that_of_the_library():
    assert comqtt.__version__.count(".") == 2
    assert comqtt.has_feature("pipe")
    assert not comqtt.has_feature("time-travel")
