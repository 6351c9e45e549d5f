"""Listeners: TCP on any port, unix sockets, open sockets, pipes."""

import socket

import pytest
from peer import PATIENCE, Peer

from comqtt import Error, PacketType, Packet, Status, packets


def connack_through(stream: socket.socket) -> Packet:
    stream.settimeout(PATIENCE)
    stream.sendall(packets.connect("by-socket").encode())
    data = b""
    while (decoded := Packet.decode(data, from_server=True)) is None:
        data += stream.recv(4096)
    return decoded[0]


def test_port_0_is_replaced_by_the_bound_port(make_server):
    server = make_server()
    server.allow_all()
    name = server.listen_tcp()
    server.start()
    assert server.port > 0
    (listener,) = server.listeners()
    assert (listener.id, listener.protocol, listener.port) == (name, "tcp", server.port)
    with socket.create_connection(("127.0.0.1", server.port)) as stream:
        assert connack_through(stream).reason == 0


def test_a_listener_may_be_added_and_removed_while_the_server_runs(server):
    name = server.listen_tcp()
    port = server.port
    with socket.create_connection(("127.0.0.1", port)) as stream:
        assert connack_through(stream).type == PacketType.CONNACK
    server.unlisten(name)
    assert server.listeners() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_in_use_is_named_in_the_error(server):
    server.listen_tcp()
    with pytest.raises(Error) as caught:
        server.listen_tcp(port=server.port)
    assert caught.value.status == Status.ADDRESS_IN_USE


def test_a_listener_id_is_unique(server):
    server.listen_tcp(id="door")
    with pytest.raises(Error) as caught:
        server.listen_tcp(id="door")
    assert caught.value.status == Status.EXISTS


def test_a_unix_socket_serves_like_tcp(server, tmp_path):
    path = str(tmp_path / "broker.sock")
    server.listen_unix(path)
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(path)
        assert connack_through(stream).reason == 0


def test_an_open_socket_can_be_handed_over(server):
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server.listen_fd(1, listening.detach(), "given")
    with socket.create_connection(("127.0.0.1", port)) as stream:
        assert connack_through(stream).reason == 0


def test_a_pipe_is_a_connection_like_any_other(server):
    peer = Peer.connected(server, "by-pipe")
    client = server.client("by-pipe")
    assert client.listener == "pipe"
    assert client.connected
    peer.vanish()


def test_a_read_from_a_quiet_pipe_times_out(server):
    with server.connect_pipe() as pipe, pytest.raises(TimeoutError):
        pipe.read(timeout=0)


def test_a_read_from_a_closed_server_gives_nothing(server):
    peer = Peer.connected(server, "left")
    server.close()
    while peer.receive() is not None:
        pass
    assert peer.pipe.read(timeout=PATIENCE) == b""
