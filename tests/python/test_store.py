"""A store written in Python: what it is told, what waits for it, what it gives back."""

import gc
import queue
import threading
import time

import pytest
from peer import PATIENCE, Peer

from comqtt import (PENDING, ChangeKind, Error, Hook, PacketType, Status, StoredClient, StoredMessage, StoredState,
                    StoredSubscription, packets)

LASTING = {"clean_start": False, "properties": {"session_expiry_interval": 1000}}


class DictStore(Hook):
    """Keeps stored state in dicts. `lazy`: messages come back page by page."""

    def __init__(self, lazy=False):
        self.lazy = lazy
        self.sessions, self.subscriptions, self.messages, self.retained = {}, {}, {}, {}
        self.received, self.blocked = set(), set()
        self.pages = 0

    def store_changes(self, event, changes):
        for change in changes:
            getattr(self, ChangeKind(change.kind).name.lower())(change.client_id, change)

    def session_saved(self, client, change):
        self.sessions[client] = change.session

    def session_removed(self, client, change):
        self.sessions.pop(client, None)
        for table in (self.subscriptions, self.messages):
            for key in [key for key in table if key[0] == client]:
                del table[key]
        self.received = {key for key in self.received if key[0] != client}

    def subscription_saved(self, client, change):
        self.subscriptions[client, change.subscription.filter] = change.subscription

    def subscription_removed(self, client, change):
        self.subscriptions.pop((client, change.text), None)

    def message_queued(self, client, change):
        self.messages[client, change.position] = change.message

    def message_sent(self, client, change):
        message = self.messages[client, change.position]
        message.packet_id = change.packet_id
        message.state = StoredState.SENT

    def message_released(self, client, change):
        self.messages[client, change.position].state = StoredState.RELEASED

    def message_removed(self, client, change):
        self.messages.pop((client, change.position), None)

    def received_added(self, client, change):
        self.received.add((client, change.packet_id))

    def received_removed(self, client, change):
        self.received.discard((client, change.packet_id))

    def retained_saved(self, client, change):
        self.retained[change.message.packet.topic] = change.message

    def retained_removed(self, client, change):
        self.retained.pop(change.text, None)

    def client_blocked(self, client, change):
        self.blocked.add(client)

    def client_unblocked(self, client, change):
        self.blocked.discard(client)

    def in_flight(self, client=None):
        for (owner, packet_id) in sorted(self.received):
            if client in (None, owner):
                yield StoredMessage(client_id=owner, state=StoredState.RECEIVED,
                                    packet=packets.publish("received", qos=2, packet_id=packet_id))
        for (owner, _), message in sorted(self.messages.items()):
            if client in (None, owner) and message.state != StoredState.QUEUED:
                yield message

    def queued(self, client=None, after=0):
        for (owner, position), message in sorted(self.messages.items()):
            if client in (None, owner) and message.state == StoredState.QUEUED and position > after:
                yield message

    def stored_clients(self, event, sink):
        for client in self.sessions.values():
            if self.lazy:
                client.queued_messages = len(list(self.queued(client.id)))
                client.queued_bytes = 100 * client.queued_messages
                client.inflight_messages = len(list(self.in_flight(client.id)))
                client.last_position = max((at for owner, at in self.messages if owner == client.id), default=0)
            sink.add_client(client)
        for client_id in self.blocked:
            sink.add_blocked(client_id)

    def stored_subscriptions(self, event, sink):
        for subscription in self.subscriptions.values():
            sink.add_subscription(subscription)

    def stored_inflight_messages(self, event, sink):
        if self.lazy:
            return False
        for message in [*self.in_flight(), *self.queued()]:
            sink.add_message(message)
        return True

    def stored_retained_messages(self, event, sink):
        for message in self.retained.values():
            sink.add_message(message)

    def load_messages(self, event, load):
        self.pages += 1
        if load.after == 0:
            for message in self.in_flight(load.client_id):
                load.add_message(message)
        for message in list(self.queued(load.client_id, load.after))[:2]:
            load.add_message(message)


class HeldStore(DictStore):
    """Answers PENDING; the test completes the batches."""

    def __init__(self):
        super().__init__()
        self.held = queue.Queue()

    def store_changes(self, event, changes):
        self.held.put(changes)
        return PENDING


@pytest.fixture
def serve(make_server):
    """serve(hook): a running server with a store and a still clock, which lets everyone do everything."""
    def start(hook):
        server = make_server(clock="manual", threads=1)
        server.add_hook(hook)
        server.allow_all()
        server.start()
        return server
    return start


def now_ms():
    return int(time.time() * 1000)


def queued_message(client_id, position, topic, payload):
    return StoredMessage(client_id=client_id, origin="p", position=position, created_ms=now_ms(),
                         packet=packets.publish(topic, payload, qos=1))


def leave_a_session(server, store, client_id, *filters):
    peer = Peer.connected(server, client_id, **LASTING)
    peer.subscribe(*[(each, 2) for each in filters])
    leave(store, peer, client_id)


def leave(store, peer, client_id):
    """Returns when the store knows that the client has gone."""
    peer.vanish()
    end = time.monotonic() + PATIENCE
    while not store.sessions[client_id].disconnected_ms:
        assert time.monotonic() < end
        time.sleep(0.001)


def hold_batches(serve):
    """A server with a session "s" that is subscribed to "t" and gone, and a store that holds what comes now."""
    store = DictStore()
    server = serve(store)
    leave_a_session(server, store, "s", "t")
    held = HeldStore()
    server.add_hook(held)
    return server, held


def test_records_take_their_attributes_as_keywords():
    client = StoredClient(id="a", session_expiry_s=5, will=packets.publish("will"))
    assert (client.id, client.version, client.session_expiry_s, client.will.topic) == ("a", 5, 5, "will")
    message = StoredMessage(packet=packets.publish("t", qos=1))
    first = message.packet
    message.packet_id = 7
    assert (message.packet_id, first.packet_id) == (7, 0)
    with pytest.raises(AttributeError):
        StoredSubscription(topic="a")
    with pytest.raises(TypeError):
        StoredMessage(position="first")


def test_what_the_sinks_take_is_there_when_the_server_runs(serve):
    store = DictStore()
    store.sessions["s"] = StoredClient(id="s", session_expiry_s=1000)
    store.subscriptions["s", "t"] = StoredSubscription(client_id="s", filter="t", qos=1, identifier=3)
    store.messages["s", 1] = queued_message("s", 1, "t", "1")
    store.retained["kept"] = StoredMessage(packet=packets.publish("kept", "here", retain=True), created_ms=now_ms())
    store.blocked.add("bad")
    server = serve(store)
    assert Peer(server).connect("bad").reason == 0x8A
    peer = Peer.connected(server, "s", **LASTING)
    assert peer.expect(PacketType.PUBLISH).payload == b"1"
    server.publish("t", "2", qos=1)
    assert peer.expect(PacketType.PUBLISH).properties["subscription_identifier"] == [3]
    assert [packet.payload for packet in server.retained()] == [b"here"]


@pytest.mark.parametrize("add", [
    lambda sink: sink.add_client(StoredClient()),
    lambda sink: sink.add_blocked(""),
    lambda sink: sink.add_subscription(StoredSubscription(client_id="s", filter="t")),
])
def test_a_record_that_cannot_be_stops_the_start(make_server, add):
    server = make_server()
    server.add_hook(stored_clients=lambda event, sink: add(sink))
    with pytest.raises(Error, match="stored_clients"):
        server.start()


@pytest.mark.parametrize("answer, status", [
    (Status.IO, Status.IO), (PENDING, Status.CALLBACK), ("yes", Status.CALLBACK), (5, Status.CALLBACK),
])
def test_an_answer_that_is_no_success_stops_the_start(make_server, answer, status):
    server = make_server()
    server.add_hook(stored_clients=lambda event, sink: answer)
    with pytest.raises(Error) as caught:
        server.start()
    assert caught.value.status == status


@pytest.mark.parametrize("answer", [None, True, False, Status.OK, Status.NOT_FOUND])
def test_a_store_may_have_nothing(serve, answer):
    assert serve({"stored_clients": lambda event, sink: answer}).ready


def test_a_sink_ends_with_its_callback(serve):
    kept = []
    serve({"stored_clients": lambda event, sink: kept.append(sink)})
    with pytest.raises(Error) as caught:
        kept[0].add_blocked("x")
    assert caught.value.status == Status.STATE


def test_a_server_says_whether_it_is_ready(make_server):
    server = make_server()
    assert not server.ready
    with pytest.raises(Error) as caught:
        server.check_ready()
    assert caught.value.status == Status.STATE
    server.start()
    server.check_ready()
    assert server.ready


def test_a_path_is_an_option_like_any(make_server):
    server = make_server({"storage": {"sync": "normal"}}, storage_path="a dir/ä.db")
    assert server.option("storage-path") == "a dir/ä.db"
    assert server.option("storage.sync") == "normal"
    assert make_server().option("storage-path") == "comqtt.db"
    with pytest.raises(Error, match="storage-path"):
        make_server(storage_path="")


@pytest.mark.parametrize("lazy", [False, True])
def test_another_server_goes_on_with_what_was_stored(serve, lazy):
    store = DictStore()
    first = serve(store)
    leave_a_session(first, store, "s", "t/+", "$share/g/u")
    first.publish("kept", "here", retain=True)
    first.block("bad")
    sender = Peer.connected(first, "sender", **LASTING)
    for number in range(5):
        assert sender.publish_acknowledged(f"t/{number}", str(number)) == 0
    sender.publish("t/5", "5", qos=2, packet_id=9)
    sender.expect(PacketType.PUBREC)
    peer = Peer.connected(first, "s", **LASTING)
    sent = [peer.expect(PacketType.PUBLISH) for _ in range(6)]
    leave(store, peer, "s")
    first.publish("t/late", "6", qos=1)
    first.close()
    assert len(store.messages) == 7 and store.received == {("sender", 9)}

    store.lazy = lazy
    second = serve(store)
    assert Peer(second).connect("bad").reason == 0x8A
    peer = Peer(second)
    assert peer.connect("s", **LASTING).session_present
    again = [peer.expect(PacketType.PUBLISH) for _ in range(7)]
    assert [packet.payload for packet in again] == [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]
    assert [packet.packet_id for packet in again[:6]] == [packet.packet_id for packet in sent]
    assert [packet.dup for packet in again] == [True] * 6 + [False]
    sender = Peer(second)
    assert sender.connect("sender", **LASTING).session_present
    sender.publish("t/5", "5", qos=2, packet_id=9, dup=True)
    sender.expect(PacketType.PUBREC)
    assert peer.is_quiet()  # it was there already
    assert (store.pages > 0) == lazy
    second.close()


def test_puback_waits_for_complete_from_any_thread(serve):
    server, held = hold_batches(serve)
    publisher, other = Peer.connected(server, "p"), Peer.connected(server, "other")
    publisher.publish("t", "x", qos=1, packet_id=5)
    batch = held.held.get(timeout=PATIENCE)
    assert other.is_quiet() and publisher.is_quiet()
    assert [change.kind for change in batch] == [ChangeKind.MESSAGE_QUEUED]
    assert len(batch) == 1 and batch[0].message.packet.payload == b"x" and batch[0].client_id == "s"
    with pytest.raises(IndexError):
        batch[1]
    thread = threading.Thread(target=batch.complete)
    thread.start()
    thread.join()
    assert publisher.expect(PacketType.PUBACK).reason == 0
    with pytest.raises(Error) as caught:
        batch.complete()
    assert caught.value.status == Status.STATE
    server.close()
    assert batch.complete() is False


@pytest.mark.parametrize("status, reason", [(Status.STORAGE, 0x83), (Status.QUEUE_FULL, 0x97)])
def test_a_batch_that_fails_is_told_to_its_publisher(serve, status, reason):
    server, held = hold_batches(serve)
    publisher = Peer.connected(server, "p")
    publisher.publish("t", qos=1, packet_id=5)
    held.held.get(timeout=PATIENCE).complete(status, "no more paper")
    assert publisher.expect(PacketType.PUBACK).reason == reason
    publisher.publish("t", qos=1, packet_id=6)
    batch = held.held.get(timeout=PATIENCE)
    batch.report(status, "the disk is full")
    with pytest.raises(Error, match="the disk is full"):
        while True:
            server.check_ready()
    batch.complete()
    assert publisher.expect(PacketType.PUBACK).reason == 0
    assert server.ready


def test_a_batch_that_is_given_up_was_not_stored(serve):
    server, held = hold_batches(serve)
    publisher = Peer.connected(server, "p")
    publisher.publish("t", qos=1, packet_id=5)
    batch = held.held.get(timeout=PATIENCE)
    del batch
    gc.collect()
    assert publisher.expect(PacketType.PUBACK).reason == 0x83


@pytest.mark.parametrize("answer", [False, 5, "stored", Status.IO, RuntimeError("broken")])
def test_what_is_not_a_success_was_not_stored(serve, answer):
    store = DictStore()
    server = serve(store)
    leave_a_session(server, store, "s", "t")

    def store_changes(event, changes):
        if isinstance(answer, Exception):
            raise answer
        return answer
    server.add_hook(store_changes=store_changes)
    assert Peer.connected(server, "p").publish_acknowledged("t") == 0x83


def test_a_session_is_loaded_when_its_client_comes(serve):
    waiting = queue.Queue()

    def load_session(event, load):
        if load.client_id == "unknown":
            return False
        waiting.put(load)
        return PENDING
    server = serve({"load_session": load_session, "load_messages": lambda event, load: False})
    assert not Peer(server).connect("unknown", **LASTING).session_present
    peer = Peer(server)
    peer.send(packets.connect("s", **LASTING))
    load = waiting.get(timeout=PATIENCE)
    assert load.session and load.after == 0 and load.max_messages > 0
    with pytest.raises(Error):
        load.add_client(StoredClient(id="somebody else"))
    load.add_client(StoredClient(id="s", session_expiry_s=1000))
    load.add_subscription(StoredSubscription(client_id="s", filter="t", qos=1))
    load.add_message(queued_message("s", 1, "t", "1"))
    assert load.complete()
    assert peer.expect(PacketType.CONNACK).session_present
    assert peer.expect(PacketType.PUBLISH).payload == b"1"
    with pytest.raises(Error) as caught:
        load.complete()
    assert caught.value.status == Status.STATE
