"""Hooks written in Python: verdicts, edits, exceptions, what is left after a callback."""

import queue
import threading

import pytest
from peer import PATIENCE, Peer

from comqtt import (ALLOW, DENY, FAIL, HOOK_EVENTS, IGNORE, NEXT, PROCEED, REJECT, Access, Error, Hook, PacketType,
                    Reason, Status, TopicFilter, packets)


@pytest.fixture
def seen():
    return queue.Queue()


class Recorder(Hook):
    """Writes down every event in which it takes part."""

    def __init__(self, *events):
        self.events = []
        for name in events:
            setattr(self, name, self._recorder(name))

    def _recorder(self, name):
        def record(event, *arguments):
            assert event.name == name
            self.events.append(name)
        return record


def test_without_a_hook_everyone_is_refused(make_server):
    with make_server() as server:
        assert Peer(server).connect("stranger").reason == Reason.BAD_USER_NAME_OR_PASSWORD


def test_a_hook_decides_who_comes_in(make_server):
    server = make_server()
    server.add_hook(on_connect_authenticate=lambda event, client, packet:
                    ALLOW if (packet.username, packet.password) == ("alice", b"secret") else NEXT)
    with server:
        assert Peer(server).connect("a", username="alice", password="secret").reason == 0
        assert Peer(server).connect("b", username="alice", password="guess").reason == 0x86
        assert Peer(server).connect("c").reason == 0x86


def test_a_refusal_carries_the_reason_and_the_text_of_the_hook(make_server):
    def refuse(event, client, packet):
        event.set_reason(Reason.BANNED, "not you")
        return DENY
    server = make_server()
    server.add_hook(on_connect_authenticate=refuse)
    with server:
        answer = Peer(server).connect("x")
    assert answer.reason == Reason.BANNED
    assert answer.properties["reason_string"] == "not you"


def test_the_first_verdict_decides(make_server):
    server = make_server()
    server.add_hook({"on_connect_authenticate": lambda *_: ALLOW,
                     "on_acl_check": lambda event, client, topic, access: DENY if topic == "secret" else NEXT})
    server.allow_all()
    with server:
        peer = Peer.connected(server, "x")
        assert peer.subscribe("open", "secret") == [0, Reason.NOT_AUTHORIZED]


def test_the_acl_is_told_what_is_asked(make_server, seen):
    def check(event, client, topic, access):
        seen.put((client.id, topic, access))
        return ALLOW
    server = make_server()
    server.add_hook(on_connect_authenticate=lambda *_: ALLOW, on_acl_check=check)
    with server:
        peer = Peer.connected(server, "x")
        peer.subscribe("a/+")
        assert seen.get(timeout=PATIENCE) == ("x", "a/+", Access.READ)
        peer.publish_acknowledged("b")
        assert seen.get(timeout=PATIENCE) == ("x", "b", Access.WRITE)


def test_on_publish_changes_the_message(server, seen):
    def edit(event, client, packet):
        packet.topic = "changed/" + packet.topic
        packet.payload = packet.payload.upper()
        packet.user_properties = [("by", client.id)]
        packet.set_property("content_type", "text/plain")
    server.add_hook(on_publish=edit)
    server.subscribe("changed/#", seen.put)
    Peer.connected(server, "writer").publish("t", "quiet")
    message = seen.get(timeout=PATIENCE)
    assert (message.topic, message.payload) == ("changed/t", b"QUIET")
    assert message.user_properties == [("by", "writer")]
    assert message.properties["content_type"] == "text/plain"


@pytest.mark.parametrize("answer, reason", [(REJECT, None), (IGNORE, None), (FAIL, Reason.QUOTA_EXCEEDED)])
def test_on_publish_keeps_a_message_back(server, seen, answer, reason):
    def judge(event, client, packet):
        if packet.topic != "bad":
            return PROCEED
        event.set_reason(Reason.QUOTA_EXCEEDED)
        return answer
    server.add_hook(on_publish=judge)
    server.subscribe("#", seen.put)
    peer = Peer.connected(server, "writer")
    code = peer.publish_acknowledged("bad")
    assert reason is None or code == reason
    peer.publish_acknowledged("good")
    assert seen.get(timeout=PATIENCE).topic == "good"


def test_on_connect_may_refuse_before_authentication(make_server):
    def refuse(event, client, packet):
        event.set_reason(Reason.SERVER_BUSY)
        return FAIL if packet.client_id == "late" else PROCEED
    server = make_server()
    server.add_hook(on_connect=refuse)
    server.allow_all()
    with server:
        assert Peer(server).connect("late").reason == Reason.SERVER_BUSY
        assert Peer(server).connect("early").reason == 0


def test_on_subscribe_changes_the_filters(server):
    def edit(event, client, packet):
        packet.filters = [TopicFilter("tenant/" + each.filter, each.qos) for each in packet.filters]
    server.add_hook(on_subscribe=edit)
    peer = Peer.connected(server, "x")
    assert peer.subscribe(("a", 1)) == [1]
    assert [each.filter for each in server.client("x").subscriptions()] == ["tenant/a"]


def test_on_subscribed_tells_codes_and_counts(server, seen):
    server.add_hook(on_subscribed=lambda event, client, packet, codes, counts: seen.put((list(codes), counts)))
    one, two = Peer.connected(server, "one"), Peer.connected(server, "two")
    one.subscribe(("a", 1), "b")
    assert seen.get(timeout=PATIENCE) == ([1, 0], [1, 1])
    two.subscribe("a")
    assert seen.get(timeout=PATIENCE) == ([0], [2])


def test_on_disconnect_tells_why(server, seen):
    server.add_hook(on_disconnect=lambda event, client, info: seen.put((client.id, info)))
    peer = Peer.connected(server, "polite")
    peer.send(packets.disconnect())
    name, info = seen.get(timeout=PATIENCE)
    assert (name, info["by_client"], info["clean"], info["reason"]) == ("polite", True, True, 0)
    Peer.connected(server, "rude").vanish()
    name, info = seen.get(timeout=PATIENCE)
    assert (name, info["clean"]) == ("rude", False)
    assert info["text"]


def test_a_will_can_be_changed_or_suppressed(server, seen):
    def edit(event, client, packet):
        if client.id == "silent":
            return REJECT
        packet.payload = b"edited"
        return PROCEED
    server.add_hook(on_will=edit)
    server.subscribe("will", seen.put)
    for name in ("silent", "loud"):
        Peer.connected(server, name, will=("will", name, 0, False)).vanish()
    assert seen.get(timeout=PATIENCE).payload == b"edited"
    assert seen.empty()


def test_packets_can_be_seen_and_changed_on_their_way_in_and_out(server, seen):
    def encode(event, client, packet):
        if packet.type == PacketType.PUBLISH:
            packet.user_properties = [("way", "out")]
    def sent(event, client, packet, wire):
        if packet.type == PacketType.PUBLISH:
            seen.put(wire)
    server.add_hook(on_packet_encode=encode, on_packet_sent=sent)
    peer = Peer.connected(server, "x")
    peer.subscribe("t")
    server.publish("t", "payload")
    assert peer.expect(PacketType.PUBLISH).user_properties == [("way", "out")]
    assert b"payload" in seen.get(timeout=PATIENCE)


def test_the_receiver_of_a_shared_subscription_can_be_chosen(server):
    def choose(event, selection, packet):
        for index, each in enumerate(selection.receivers()):
            selection.choose(index, each["client_id"] == "second")
    server.add_hook(on_select_subscribers=choose)
    first, second = (Peer.connected(server, name) for name in ("first", "second"))
    for peer in (first, second):
        peer.subscribe("$share/group/t")
    for number in range(4):
        server.publish("t", str(number))
    assert [second.expect(PacketType.PUBLISH).payload for _ in range(4)] == [b"0", b"1", b"2", b"3"]
    assert first.is_quiet()


def test_on_retain_published_tells_what_was_sent_not_what_was_refused(make_server, seen):
    server = make_server(threads=1)  # what is published is retained before the subscription is read
    server.add_hook(on_acl_check=lambda event, client, topic, access: DENY if topic == "a/secret" else NEXT,
                    on_retain_published=lambda event, client, packet: seen.put(packet.topic))
    server.allow_all()
    server.start()
    for topic in ("a/open", "a/secret", "a/too"):
        server.publish(topic, "kept", retain=True)
    peer = Peer.connected(server, "x")
    peer.subscribe("a/#")
    assert {peer.expect(PacketType.PUBLISH).topic for _ in range(2)} == {"a/open", "a/too"}
    assert peer.is_quiet()
    assert sorted(seen.queue) == ["a/open", "a/too"]


@pytest.mark.parametrize("nothing", (None, object(), Recorder, {}))
def test_what_has_no_hook_functions_is_not_a_hook(server, nothing):
    with pytest.raises(TypeError):
        server.add_hook(nothing)


def test_a_receiver_can_be_added(server):
    server.add_hook(on_select_subscribers=lambda event, selection, packet: selection.add("extra", qos=1))
    peer = Peer.connected(server, "extra")
    server.publish("t", "payload", qos=1)
    assert peer.expect(PacketType.PUBLISH).qos == 1


def test_a_verdict_for_all_topics_is_asked_for_once(make_server):
    asked = []

    def check(event, client, topic, access):
        asked.append(topic)
        event.set_for_all_topics()
        return ALLOW
    server = make_server()
    server.add_hook(on_connect_authenticate=lambda event, client, packet: ALLOW, on_acl_check=check)
    server.start()
    peer = Peer.connected(server, "x")
    for topic in ("a", "b", "c"):
        peer.publish_acknowledged(topic)
    assert asked == ["a"]


def test_who_reconnects_as_another_user_gets_what_that_user_may_read(make_server):
    def check(event, client, topic, access):
        return DENY if client.username == "guest" and topic == "secret" else ALLOW
    server = make_server()
    server.add_hook(on_connect_authenticate=lambda event, client, packet: ALLOW, on_acl_check=check)
    server.start()
    publisher = Peer.connected(server, "publisher")
    properties = {"session_expiry_interval": 100}
    owner = Peer.connected(server, "reader", username="owner", clean_start=False, properties=properties)
    assert owner.subscribe("secret", "news") == [0, 0]
    publisher.publish_acknowledged("secret", b"for the owner")
    assert owner.expect(PacketType.PUBLISH).payload == b"for the owner"
    guest = Peer(server)
    assert guest.connect("reader", username="guest", clean_start=False, properties=properties).session_present
    publisher.publish_acknowledged("secret", b"not for the guest")
    publisher.publish_acknowledged("news", b"for all")
    assert guest.expect(PacketType.PUBLISH).payload == b"for all"


def test_events_come_in_their_documented_order(make_server):
    recorder = Recorder("on_started", "on_connect", "on_session_establish", "on_session_established", "on_subscribe",
                        "on_subscribed", "on_publish", "on_published", "on_unsubscribed", "on_disconnect",
                        "on_stopped")
    gone = threading.Event()
    recorder.on_disconnect = lambda event, client, info: (recorder.events.append("on_disconnect"), gone.set())
    server = make_server()
    server.allow_all()
    server.add_hook(recorder)
    server.start()
    peer = Peer.connected(server, "x")
    peer.subscribe("a")
    peer.publish_acknowledged("b")
    peer.send(packets.disconnect())
    assert gone.wait(PATIENCE)
    server.stop()
    assert [each for each in recorder.events if each != "on_unsubscribed"] == [
        "on_started", "on_connect", "on_session_establish", "on_session_established", "on_subscribe",
        "on_subscribed", "on_publish", "on_published", "on_disconnect", "on_stopped"]


@pytest.mark.parametrize("answer", [True, "ALLOW", 7, PROCEED])
def test_what_is_no_answer_to_a_question_is_logged_and_denied(make_server, answer):
    lines = queue.Queue()
    server = make_server(log=lambda level, component, message: lines.put(message))
    server.add_hook(on_connect_authenticate=lambda *_: answer)
    with server:
        assert Peer(server).connect("x").reason == 0x86
        while "answer" not in lines.get(timeout=PATIENCE):
            pass


def test_an_exception_is_logged_with_its_place_and_counts_as_no_answer(make_server):
    lines = queue.Queue()
    server = make_server(log=lambda level, component, message: lines.put(message))

    def explode(event, client, packet):
        raise ValueError("boom")
    server.add_hook(on_connect_authenticate=explode, id="fragile")
    with server:
        assert Peer(server).connect("x").reason == 0x86
        while "ValueError: boom" not in (line := lines.get(timeout=PATIENCE)):
            pass
    assert "explode" in line and "test_hooks.py" in line


@pytest.mark.parametrize("slot", ["on_publish", "on_packet_read"])
def test_a_hook_that_raises_lets_no_message_through(server, seen, slot):
    broken = threading.Event()

    def explode(event, client, packet):
        if broken.is_set():
            raise KeyError("boom")
        return PROCEED
    server.subscribe("t", seen.put)
    peer = Peer.connected(server, "x")
    hook = server.add_hook(**{slot: explode})
    broken.set()
    assert peer.publish_acknowledged("t", "secret") >= 0x80
    broken.clear()
    server.remove_hook(hook)
    assert peer.publish_acknowledged("t", "public") == 0
    assert seen.get(timeout=PATIENCE).payload == b"public"
    assert server.metrics()["hook_failures"] >= 1


def test_with_proceed_a_hook_that_raises_counts_as_not_asked(make_server, seen):
    def explode(event, client, packet):
        raise KeyError("boom")
    server = make_server({"hooks.on-failure": "proceed"})
    server.add_hook(on_publish=explode)
    server.allow_all()
    with server:
        server.subscribe("t", seen.put)
        assert Peer.connected(server, "x").publish_acknowledged("t", "through") == 0
        assert seen.get(timeout=PATIENCE).payload == b"through"


def test_a_kept_event_is_over_and_a_kept_packet_shows_how_it_was(server, seen):
    def first(event, client, packet):
        packet.payload = b"first"
        seen.put((event, packet))
    server.add_hook(on_publish=first)
    server.add_hook(on_publish=lambda event, client, packet: setattr(packet, "payload", b"second"))
    Peer.connected(server, "x").publish_acknowledged("t")
    event, packet = seen.get(timeout=PATIENCE)
    assert packet.payload == b"first"
    for forbidden in (lambda: event.name, lambda: event.set_reason(1), lambda: setattr(packet, "payload", b"late")):
        with pytest.raises(Error) as caught:
            forbidden()
        assert caught.value.status == Status.STATE


def test_an_event_knows_its_server_and_the_time(server, seen):
    server.add_hook(on_connect=lambda event, *_: seen.put((event.server, event.time_ms, event.name)))
    Peer.connected(server, "x")
    owner, now, name = seen.get(timeout=PATIENCE)
    assert owner is server
    assert abs(now - server.now_ms) < 60_000
    assert name == "on_connect"


def test_a_removed_hook_is_not_called_any_more_and_is_stopped(server):
    class Counting(Hook):
        calls = stops = 0

        def on_publish(self, event, client, packet):
            self.calls += 1

        def stop(self):
            self.stops += 1

    hook = Counting()
    number = server.add_hook(hook)
    peer = Peer.connected(server, "x")
    peer.publish_acknowledged("t")
    server.remove_hook(number)
    peer.publish_acknowledged("t")
    assert (hook.calls, hook.stops) == (1, 1)
    with pytest.raises(Error) as caught:
        server.remove_hook(number)
    assert caught.value.status == Status.NOT_FOUND


def test_a_hook_that_fails_to_start_is_kept_out(server):
    class Broken(Hook):
        def init(self, owner):
            assert owner is server
            raise RuntimeError("no database")

        def on_connect(self, event, client, packet):
            return REJECT

    with pytest.raises(RuntimeError, match="no database"):
        server.add_hook(Broken())
    Peer.connected(server, "x")


def test_a_misspelled_event_names_the_right_one(server):
    with pytest.raises(ValueError, match="on_publish"):
        server.add_hook(on_pubish=print)


def test_a_coroutine_function_is_refused_as_a_hook(server):
    async def on_publish(event, client, packet):
        pass
    with pytest.raises(TypeError, match="coroutine"):
        server.add_hook(on_publish=on_publish)


def test_every_event_takes_a_function(server):
    server.add_hook({name: lambda *_: None for name in HOOK_EVENTS})
    peer = Peer.connected(server, "x", will=("w", b"", 0, False))
    peer.subscribe(("t", 1), "$share/g/t")
    peer.publish("t", "payload", retain=True)
    assert peer.expect(PacketType.PUBLISH).payload == b"payload"


def test_the_built_in_hooks_can_be_added(make_server):
    server = make_server(log_level="debug")
    server.add_debug_hook(show_packet_data=True)
    server.allow_loopback()
    server.listen_tcp()
    with server:
        Peer.connected(server, "x")
