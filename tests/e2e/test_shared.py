"""Shared subscriptions."""

import time
from collections import Counter

import pytest

import mqtt_packets as mp
from mqtt_packets import PUBACK, PUBLISH, PUBREC, PUBREL
from mqtt_wire import DEADLINE


def _group(mqtt, unique, count, qos=0, **fields):
    """`count` members of a group of their own and the topic they share."""
    topic, share = unique("t"), unique("g")
    members = [mqtt.connect(unique("c"), **fields) for _ in range(count)]
    for member in members:
        member.subscribe(f"$share/{share}/{topic}", qos=qos)
    return topic, share, members


def _collect(members, publisher):
    """All messages that each member has got once everything so far has passed."""
    sentinel = f"end/{id(members)}/{publisher.client_id}"
    found = []
    for member in members:
        member.subscribe(sentinel)
    publisher.send_publish(sentinel, b"end")
    for member in members:
        got = []
        while True:
            packet = member.next()
            assert packet.type == PUBLISH, packet
            if packet.topic == sentinel:
                break
            if packet.qos:
                member.send_ack(PUBACK, packet.packet_id)
            got.append(packet)
        found.append(got)
    return found


@pytest.mark.parametrize("qos", (0, 1))
def test_each_message_goes_to_one_member_and_every_member_gets_its_share(mqtt, unique, qos):
    """[MQTT-4.8.2-1] [MQTT-4.8.2-3]"""
    topic, _, members = _group(mqtt, unique, 4, qos=1)
    publisher = mqtt.connect()
    for i in range(200):
        publisher.publish(topic, b"%d" % i, qos)
    got = _collect(members, publisher)
    payloads = [m.payload for part in got for m in part]
    assert sorted(payloads) == sorted(b"%d" % i for i in range(200))
    assert min(len(part) for part in got) >= 30, [len(part) for part in got]
    for part in got:
        numbers = [int(m.payload) for m in part]
        assert numbers == sorted(numbers)


def test_every_group_and_every_ordinary_subscriber_gets_its_own_copy(mqtt, unique):
    """[MQTT-4.8.2-2]"""
    topic = unique("t")
    members = [mqtt.connect() for _ in range(4)]
    for member, filter_ in zip(members, (f"$share/g1/{topic}", f"$share/g2/{topic}", f"$share/g1/{topic}/#", topic)):
        member.subscribe(filter_)
    publisher = mqtt.connect()
    publisher.send_publish(topic, b"x")
    assert [[m.payload for m in part] for part in _collect(members, publisher)] == [[b"x"]] * 4


def test_wildcards_work_in_shared_filters_and_leave_dollar_topics_out(mqtt, unique):
    """[MQTT-4.7.2-1] [MQTT-4.8.2-2]"""
    t = unique("t")
    client, publisher = mqtt.connect(), mqtt.connect()
    client.subscribe(f"$share/{t}/+/{t}/#", f"$share/{t}/+/clients/total")
    publisher.send_publish(f"$x/{t}/a", b"hidden")
    publisher.send_publish(f"x/{t}", b"1")
    publisher.send_publish(f"x/{t}/a", b"2")
    assert [m.payload for m in client.messages(2)] == [b"1", b"2"]
    client.expect_nothing(via=publisher)


def test_offline_members_are_passed_over_while_another_is_online(mqtt, unique):
    """[MQTT-4.8.2-3]"""
    topic, _, members = _group(mqtt, unique, 3, qos=1, props={"session_expiry": 60})
    publisher = mqtt.connect()
    for gone in members[:2]:
        gone.disconnect()
    for i in range(30):
        publisher.publish(topic, b"%d" % i, i % 2)
    assert [m.payload for m in members[2].messages(30)] == [b"%d" % i for i in range(30)]


def test_messages_wait_for_a_member_when_all_are_offline(mqtt, unique):
    """[MQTT-4.5.0-1] [MQTT-4.8.2-4]"""
    topic, _, members = _group(mqtt, unique, 2, qos=1, props={"session_expiry": 60})
    publisher = mqtt.connect()
    for member in members:
        member.disconnect()
    for i in range(20):
        publisher.publish(topic, b"%d" % i, 1)
    again = [mqtt.connect(member.client_id, clean=False) for member in members]
    got = _collect(again, publisher)
    assert sorted(int(m.payload) for part in got for m in part) == list(range(20))


def test_what_a_lost_member_left_unacknowledged_reaches_the_group_once(mqtt, unique):
    """[MQTT-4.8.2-4] [MQTT-4.8.2-5] A QoS 1 message goes to another member, or to the same one when it returns."""
    topic, _, members = _group(mqtt, unique, 2, qos=1, props={"session_expiry": 60})
    publisher = mqtt.connect()
    for i in range(10):
        publisher.publish(topic, b"%d" % i, 1)
    lost, kept = members
    first = _unacknowledged(lost, publisher)
    mine = [m.payload for m in _received(kept, publisher)]
    assert len(first) + len(mine) == 10 and first
    lost.drop()
    late = mqtt.connect(lost.client_id, clean=False, props={"session_expiry": 60})
    again = []
    ends = time.monotonic() + DEADLINE
    while len(again) < len(first) and time.monotonic() < ends:  # on a way of their own, perhaps behind a sentinel
        again += [m.payload for part in _collect([kept, late], publisher) for m in part]
    again += [m.payload for part in _collect([kept, late], publisher) for m in part]
    assert sorted(again) == sorted(m.payload for m in first)


def _unacknowledged(client, publisher):
    client.settle(publisher)
    found, client.inbox = client.inbox, []
    return found


def _received(client, publisher):
    found = _unacknowledged(client, publisher)
    for message in found:
        client.send_ack(PUBACK, message.packet_id)
    return found


@pytest.mark.parametrize("expiry", (0, 60))
def test_qos_1_messages_of_a_member_that_goes_away_go_to_another(mqtt, unique, expiry):
    """[MQTT-4.8.2-3] [MQTT-4.8.2-4] While the session lives they may wait for it instead."""
    topic, _, members = _group(mqtt, unique, 2, qos=1, props={"session_expiry": expiry})
    publisher = mqtt.connect()
    for i in range(10):
        publisher.publish(topic, b"%d" % i, 1)
    held = _unacknowledged(members[0], publisher)
    mine = _received(members[1], publisher)
    assert held and mine
    members[0].drop()
    moved = [members[1].message(topic, timeout=5) for _ in held]
    assert sorted(m.payload for m in moved) == sorted(m.payload for m in held)


@pytest.mark.parametrize("received", (False, True))
def test_a_qos_2_message_whose_delivery_began_stays_with_its_member(mqtt, unique, received):
    """[MQTT-4.8.2-4] [MQTT-4.8.2-5] Before PUBREC and after it, and also when the session ends."""
    topic, _, members = _group(mqtt, unique, 2, qos=2, props={"session_expiry": 60})
    publisher = mqtt.connect()
    publisher.publish(topic, b"x", 2)
    for member in members:
        member.settle(publisher)
    holder, other = members if members[0].inbox else members[::-1]
    message = holder.unacknowledged_message(topic, b"x", qos=2)
    if received:
        holder.send_ack(PUBREC, message.packet_id)
        holder.expect(PUBREL, packet_id=message.packet_id)
    holder.drop()
    other.expect_nothing(via=publisher)
    again = mqtt.open()
    again.referee.resumed({message.packet_id} if received else ())
    again.connect(holder.client_id, clean=False, props={"session_expiry": 60})
    again.expect(PUBREL if received else PUBLISH, packet_id=message.packet_id, dup=not received)
    again.disconnect(0, {"session_expiry": 0})
    other.expect_nothing(via=publisher)


@pytest.mark.parametrize("qos, type_", ((1, PUBACK), (2, PUBREC)))
def test_an_error_acknowledgement_discards_the_message_for_the_whole_group(mqtt, unique, qos, type_):
    """[MQTT-4.8.2-6]"""
    topic, _, members = _group(mqtt, unique, 3, qos=2)
    publisher = mqtt.connect()
    for i in range(6):
        publisher.publish(topic, b"%d" % i, qos)
    for member in members:
        for message in _unacknowledged(member, publisher):
            member.send_ack(type_, message.packet_id, 0x80)
    for member in members:
        member.ping()
    members[0].drop()
    for member in members[1:]:
        member.expect_nothing(via=publisher)


def test_granted_qos_of_each_member_is_respected(mqtt, unique):
    """[MQTT-4.8.2-3]"""
    topic, share = unique("t"), unique("g")
    members = [mqtt.connect() for _ in range(3)]
    for qos, member in enumerate(members):
        member.subscribe(f"$share/{share}/{topic}", qos=qos)
    publisher = mqtt.connect()
    for i in range(30):
        publisher.publish(topic, b"%d" % i, 2)
    seen = Counter()
    for qos, member in enumerate(members):
        for message in _unacknowledged(member, publisher):
            assert message.qos == qos
            seen[qos] += 1
    assert sum(seen.values()) == 30 and len(seen) == 3


def test_shared_subscriptions_get_no_retained_messages_and_no_retain_flag_by_default(mqtt, unique):
    """[MQTT-3.3.1-12] [MQTT-3.3.1-13]"""
    topic = unique("t")
    publisher = mqtt.connect()
    publisher.publish(topic, b"kept", 1, retain=True)
    plain, keeping = mqtt.connect(), mqtt.connect()
    plain.subscribe(f"$share/a{topic}/{topic}")
    keeping.subscribe(f"$share/b{topic}/{topic}", rap=True)
    for client in (plain, keeping):
        client.expect_nothing(via=publisher)
    publisher.publish(topic, b"new", 1, retain=True)
    plain.message(topic, b"new", retain=False)
    keeping.message(topic, b"new", retain=True)


def test_no_local_on_a_shared_subscription_is_a_protocol_error(mqtt, unique):
    """[MQTT-3.8.3-4]"""
    client = mqtt.connect()
    client.send(mp.subscribe(1, [(f"$share/g/{unique('t')}", mp.options(no_local=True))]))
    client.expect_disconnect(0x82)


def test_a_shared_subscription_carries_its_identifier(mqtt, unique):
    """[MQTT-3.3.4-3]"""
    topic = unique("t")
    client = mqtt.connect()
    client.subscribe(f"$share/{topic}/{topic}", props={"subscription_id": 5})
    client.subscribe(topic, props={"subscription_id": 6})
    mqtt.connect().send_publish(topic, b"x")
    identifiers = []
    while len(identifiers) < 2:
        identifiers += client.message(topic, b"x").properties["subscription_id"]
    assert sorted(identifiers) == [5, 6]


def test_unsubscribing_leaves_the_group_to_the_others(mqtt, unique):
    """[MQTT-3.10.4-1] [MQTT-3.10.4-2]"""
    topic, share, members = _group(mqtt, unique, 2)
    publisher = mqtt.connect()
    assert members[0].unsubscribe(f"$share/{share}/{topic}").reasons == [0]
    for i in range(10):
        publisher.send_publish(topic, b"%d" % i)
    assert [m.payload for m in members[1].messages(10)] == [b"%d" % i for i in range(10)]
    members[0].expect_nothing(via=publisher)


@pytest.mark.parametrize("version", (3, 4))
def test_3x_clients_can_share_too(mqtt, unique, version):
    """[MQTT-4.8.2-1]"""
    topic = unique("t")
    members = [mqtt.connect(version=version), mqtt.connect(version=5)]
    for member in members:
        member.subscribe(f"$share/{topic}/{topic}", qos=1)
    publisher = mqtt.connect()
    for i in range(20):
        publisher.publish(topic, b"%d" % i, 1)
    got = _collect(members, publisher)
    assert sorted(int(m.payload) for part in got for m in part) == list(range(20))
    assert all(got)


def test_a_member_with_a_full_quota_does_not_lose_the_groups_messages(mqtt, unique):
    """[MQTT-3.3.4-9] [MQTT-4.5.0-1]"""
    topic, share = unique("t"), unique("g")
    slow, quick = mqtt.connect(props={"receive_maximum": 1}), mqtt.connect()
    for member in (slow, quick):
        member.subscribe(f"$share/{share}/{topic}", qos=1)
    publisher = mqtt.connect()
    for i in range(20):
        publisher.publish(topic, b"%d" % i, 1)
    got = _collect([quick, slow], publisher)
    payloads = [m.payload for part in got for m in part]
    while len(payloads) < 20:
        payloads.append(slow.message(topic).payload)
    assert sorted(payloads, key=int) == [b"%d" % i for i in range(20)]


@pytest.mark.parametrize("qos", (0, 1))
def test_one_publishers_messages_arrive_in_order_whichever_subscription_they_take(mqtt, unique, qos):
    """[MQTT-4.6.0-6] Sent in one go, to a client with ordinary and shared subscriptions to the same topics."""
    base = unique("order")
    publisher = mqtt.connect()
    for _ in range(4):  # on several threads
        receiver = mqtt.connect()
        for topic_filter in ("both/#", "plain"):
            receiver.subscribe(f"{base}/{topic_filter}", qos=qos)
        for topic_filter in ("both/1", "shared"):
            receiver.subscribe(f"$share/{unique('g')}/{base}/{topic_filter}", qos=qos)
        expected, packets = [], []
        for number in range(200):
            topic = ("both/1", "both/1", "plain", "shared", "both/2")[number * 3 // 7 % 5]
            packets.append(mp.publish(f"{base}/{topic}", b"%d" % number, qos, packet_id=number + 1 if qos else None))
            expected += [number] * (2 if topic == "both/1" else 1)
        publisher.send(*packets)
        got = [int(receiver.message().payload) for _ in expected]
        assert got == expected
        for number in range(200 if qos else 0):
            publisher.wait_for(mp.PUBACK, packet_id=number + 1)
        receiver.disconnect()
