"""Look-up of clients, and what can be done to one."""

import pytest
from peer import Peer

from comqtt import Error, PacketType, Reason, Status, packets


def test_a_client_is_found_by_its_id_with_its_facts(server):
    peer = Peer.connected(server, "alice", username="Alice", keep_alive=40, will=("w", b"x", 0, False),
                   properties={"session_expiry_interval": 90})
    client = server.client("alice")
    assert (client.id, client.username, client.version, client.keep_alive) == ("alice", "Alice", 5, 40)
    assert client.connected and client.clean_start and not client.is_inline
    assert client.session_expiry_s == 90
    assert client.will.topic == "w"
    assert "alice" in repr(client)
    peer.vanish()


def test_an_unknown_client_is_none(server):
    assert server.client("nobody") is None


def test_clients_can_be_listed_and_counted(server):
    kept = [Peer.connected(server, name) for name in ("a", "b", "c")]
    names = {client.id for client in server.clients() if not client.is_inline}
    assert names == {"a", "b", "c"}
    assert server.client_count(connected_only=True) >= len(kept)


def test_a_disconnected_client_is_told_the_reason(server):
    peer = Peer.connected(server, "bob")
    assert server.disconnect("bob", Reason.QUOTA_EXCEEDED)
    assert peer.expect(PacketType.DISCONNECT).reason == Reason.QUOTA_EXCEEDED
    assert peer.receive() is None
    assert not server.disconnect("nobody")


def test_a_kept_client_outlives_its_connection_and_its_server(server):
    peer = Peer.connected(server, "late")
    client = server.client("late")
    client.disconnect()
    while peer.receive() is not None:
        pass
    server.close()
    assert client.id == "late"
    assert not client.connected
    with pytest.raises(Error) as caught:
        client.disconnect()
    assert caught.value.status == Status.CLOSED


def test_the_subscriptions_of_a_client_are_listed(server):
    peer = Peer.connected(server, "reader")
    peer.subscribe(("a/#", 2), "$share/g/b")
    assert {(each.filter, each.qos) for each in server.client("reader").subscriptions()} == {
        ("a/#", 2), ("$share/g/b", 0)}


def test_a_listed_subscription_has_its_identifier(server):
    peer = Peer.connected(server, "reader")
    peer.send(packets.subscribe("a", packet_id=7, properties={"subscription_identifier": 300}))
    peer.expect(PacketType.SUBACK)
    peer.subscribe("b")
    assert {(each.filter, each.identifier) for each in server.client("reader").subscriptions()} == {
        ("a", 300), ("b", 0)}


def test_a_packet_can_be_sent_to_one_client_alone(server):
    peer = Peer.connected(server, "chosen")
    server.client("chosen").send(packets.publish("private/letter", "psst"))
    assert peer.expect(PacketType.PUBLISH).payload == b"psst"


def test_expire_ends_the_session_too(server):
    peer = Peer.connected(server, "gone", clean_start=False, properties={"session_expiry_interval": 1000})
    server.client("gone").expire()
    while peer.receive() is not None:
        pass
    again = Peer(server)
    assert not again.connect("gone", clean_start=False).session_present


def test_a_blocked_client_is_disconnected_and_refused_until_unblocked(server):
    peer = Peer.connected(server, "pest")
    server.block("pest")
    assert server.blocked() == ["pest"]
    assert peer.expect(PacketType.DISCONNECT).reason >= 0x80
    assert peer.receive() is None
    assert Peer(server).connect("pest").reason == Reason.BANNED
    server.unblock("pest")
    assert Peer(server).connect("pest").reason == 0


def test_metrics_count_what_happened(server):
    peer = Peer.connected(server, "counter")
    before = server.metrics()
    for _ in range(3):
        assert peer.publish_acknowledged("t") in (0, Reason.NO_MATCHING_SUBSCRIBERS)
    after = server.metrics()
    assert after["clients_connected"] >= 1
    assert after["messages_received"] - before["messages_received"] == 3
