"""What needs a hook: enhanced authentication, denials, a keep alive of the server's (see hooked_broker.c)."""

import os
import shlex
import subprocess
import time

import pytest

import mqtt_packets as mp
from broker import Broker
from clients import HERE, ROOT, Clients
from mqtt_packets import AUTH, CONNACK, PUBACK, PUBREC, SUBACK
from mqtt_wire import Closed

HELLO = {"auth_method": "riddle", "auth_data": b"hello"}


def _sanitizer_flags(library):
    """A program must be linked with the sanitizer that its library was built with."""
    symbols = subprocess.run(["nm", "-D", "--undefined-only", str(library)], capture_output=True, text=True).stdout
    flags = [flag for symbol, flag in (("__asan_init", "-fsanitize=address,undefined"),
                                       ("__tsan_init", "-fsanitize=thread")) if symbol in symbols]
    return flags


@pytest.fixture(scope="session")
def hooked_program(comqtt_program, tmp_path_factory):
    """hooked_broker, compiled against the library beside the program under test."""
    folder = comqtt_program.resolve().parent
    program = tmp_path_factory.mktemp("hooked") / "hooked_broker"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}",
                    *_sanitizer_flags(folder / "libcomqtt.so"), str(HERE / "hooked_broker.c"), "-o", str(program),
                    f"-L{folder}", "-lcomqtt", f"-Wl,-rpath,{folder}", "-lpthread"], check=True)
    return program


@pytest.fixture
def hooked(hooked_program, threads):
    """hooked(*options): clients of a hooked broker of this test."""
    made = []

    def start(*options):
        template = shlex.join([str(hooked_program), "127.0.0.1:{port}", str(threads), *options])
        made.append(Clients(Broker(hooked_program, template=template)))
        return made[-1]

    yield start
    for clients in made:
        clients.close()
        assert clients.broker.stop() == 0, clients.broker.log()


def _connect(clients, name, **props):
    """CONNECT with the riddle, up to the challenge."""
    client = clients.open()
    client.send_connect(name, props={**HELLO, **props})
    challenge = client.expect(AUTH, reason=0x18)
    assert challenge.properties["auth_method"] == "riddle" and challenge.properties["auth_data"] == b"sphinx"
    return client, challenge


def _answer(client, data, method="riddle", reason=0x18):
    client.send(mp.auth(reason, {"auth_method": method, "auth_data": data}))


def _authenticated(clients, name, **props):
    client, _ = _connect(clients, name, **props)
    _answer(client, b"human")
    connack = client.expect(CONNACK, reason=0)
    assert connack.properties["auth_method"] == "riddle"
    return client


def _ends_before_connack(client, *reasons):
    """The end, with or without a CONNACK that gives one of the reasons; a DISCONNECT would be a foul."""
    try:
        answer = client.next()
    except Closed:
        return
    assert answer.type == CONNACK and answer.reason in reasons, answer
    client.expect_closed()


def test_authentication_in_steps_ends_with_a_connack_that_names_the_method(hooked, unique):
    """[MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.2.0-1] [MQTT-3.15.2-1]"""
    client = _authenticated(hooked(), unique("c"))
    client.subscribe(unique("t"))
    client.ping()


def test_a_wrong_answer_is_refused(hooked, unique):
    """[MQTT-4.12.0-4] [MQTT-3.2.2-7] [MQTT-3.2.2-8]"""
    client, _ = _connect(hooked(), unique("c"))
    _answer(client, b"crocodile")
    client.expect(CONNACK, reason=0x87)
    client.expect_closed()


def test_an_unknown_method_is_refused(hooked, unique):
    """[MQTT-4.12.0-1]"""
    client = hooked().open()
    client.connect(unique("c"), props={"auth_method": "other"}, expect=0x8C)
    client.expect_closed()


def test_the_method_may_not_change_on_the_way(hooked, unique):
    """[MQTT-4.12.0-5] [MQTT-4.12.1-1] During CONNECT and later."""
    clients = hooked()
    client, _ = _connect(clients, unique("c"))
    _answer(client, b"human", method="other")
    _ends_before_connack(client, 0x81, 0x82, 0x8C)
    client = _authenticated(clients, unique("c"))
    _answer(client, b"again", method="other", reason=0x19)
    client.expect_disconnect(0x82, 0x8C)


@pytest.mark.parametrize("packet", (mp.pingreq(), mp.publish("t", b"x"), mp.subscribe(1, [("t", 0)])))
def test_only_auth_and_disconnect_may_come_before_connack(hooked, unique, packet):
    """[MQTT-3.1.2-30] [MQTT-3.14.0-1] No DISCONNECT before CONNACK."""
    client, _ = _connect(hooked(), unique("c"))
    client.send(packet)
    _ends_before_connack(client, 0x81, 0x82)


def test_disconnect_in_the_middle_of_authentication_just_ends_it(hooked, unique):
    """[MQTT-3.1.2-30]"""
    client, _ = _connect(hooked(), unique("c"))
    client.send(mp.disconnect())
    client.expect_closed()


def test_re_authentication_succeeds_without_a_connack(hooked, unique):
    """[MQTT-4.12.1-1] [MQTT-4.12.0-5] [MQTT-3.2.0-2] [MQTT-3.15.2-1] Messages go on meanwhile."""
    clients, topic = hooked(), unique("t")
    client = _authenticated(clients, unique("c"))
    client.subscribe(topic)
    _answer(client, b"again", reason=0x19)
    client.expect(AUTH, reason=0x18)
    client.send_publish(topic, b"meanwhile")
    client.message(topic, b"meanwhile")
    _answer(client, b"human")
    done = client.expect(AUTH, reason=0)
    assert done.properties["auth_method"] == "riddle"
    client.expect_nothing()


def test_a_failed_re_authentication_ends_the_connection(hooked, unique):
    """[MQTT-4.12.1-2]"""
    client = _authenticated(hooked(), unique("c"))
    _answer(client, b"again", reason=0x19)
    client.expect(AUTH, reason=0x18)
    _answer(client, b"crocodile")
    client.expect_disconnect(0x87)


def test_re_authentication_without_a_method_in_connect_is_a_protocol_error(hooked, unique):
    """[MQTT-4.12.0-6] [MQTT-4.12.0-7]"""
    client = hooked().connect(unique("c"))
    _answer(client, b"again", reason=0x19)
    client.expect_disconnect(0x82, 0x8C)


def test_an_auth_packet_leaves_out_what_does_not_fit(hooked, unique):
    """[MQTT-3.15.2-2] [MQTT-3.15.2-3] [MQTT-3.1.2-24]"""
    clients = hooked()
    _, full = _connect(clients, unique("c"))
    assert "reason_string" in full.properties and "user" in full.properties
    _, without_user = _connect(clients, unique("c"), maximum_packet_size=100)
    assert "user" not in without_user.properties
    _, short = _connect(clients, unique("c"), maximum_packet_size=40)
    assert set(short.properties) == {"auth_method", "auth_data"}


def test_an_auth_packet_explains_nothing_to_a_client_that_does_not_want_it(hooked, unique):
    """[MQTT-3.1.2-29]"""
    _, challenge = _connect(hooked(), unique("c"), request_problem_info=0)
    assert set(challenge.properties) == {"auth_method", "auth_data"}


@pytest.mark.parametrize("option, code", (("false", 0x87), ("true", 0x80)))
def test_denied_subscriptions_are_refused_one_by_one(hooked, unique, option, code):
    """[MQTT-3.8.4-6] [MQTT-3.9.3-1] [MQTT-3.8.4-7] `obscure-not-authorized` hides the reason."""
    clients = hooked(f"capabilities.compatibilities.obscure-not-authorized={option}")
    client, topic = clients.connect(), unique("t")
    client.send(mp.subscribe(1, [(topic, 1), ("denied/" + topic, 1), (topic + "/x", 2)]))
    client.expect(SUBACK, reasons=[1, code, 2])
    old = clients.connect(version=4)
    old.send(mp.subscribe(1, [(topic, 1), ("denied/" + topic, 1)], version=4))
    old.expect(SUBACK, reasons=[1, 0x80])


def test_a_denied_publish_is_answered_and_goes_nowhere(hooked, unique):
    """[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-4.3.3-9] After a failing PUBREC the packet id is free and new again."""
    clients, topic = hooked(), unique("t")
    watcher, client = clients.connect(), clients.connect()
    watcher.subscribe("#")
    client.send_publish("denied/x", b"secret")
    client.send_publish("denied/x", b"secret", 1, packet_id=3)
    client.expect(PUBACK, packet_id=3, reason=0x87)
    client.send_publish("denied/x", b"secret", 2, packet_id=4)
    client.expect(PUBREC, packet_id=4, reason=0x87)
    client.publish(topic, b"open", 2, packet_id=4)
    watcher.message(topic, b"open")
    old = clients.connect(version=4)
    old.publish("denied/x", b"secret", 1)
    old.publish("denied/x", b"secret", 2)
    watcher.expect_nothing(via=old)


def test_an_alias_does_not_get_around_a_denial(hooked, unique):
    """[MQTT-3.3.2-12] The rule is asked about the topic that the alias stands for."""
    clients = hooked()
    client = clients.connect()
    client.send_publish("denied/x", b"", 1, packet_id=1, props={"topic_alias": 1})
    client.expect(PUBACK, reason=0x87)
    client.send_publish("", b"", 1, packet_id=2, props={"topic_alias": 1})
    client.expect(PUBACK, packet_id=2, reason=0x87)


def test_a_keep_alive_of_the_servers_is_announced_and_used(hooked, unique):
    """[MQTT-3.1.2-21] [MQTT-3.2.2-21] [MQTT-3.1.2-22]"""
    client = hooked().connect("patient" + unique("c"), keep_alive=600)
    assert client.connack.properties["server_keep_alive"] == 1
    start = time.monotonic()
    client.expect_disconnect(0x8D, timeout=4)
    assert time.monotonic() - start >= 1.4
