"""Clients for tests of a store that is in trouble: publishers with a record, and a pair that must not notice."""

from __future__ import annotations

import time

import history as h
from checker import Fault, check
from loop import Loop
from mqtt_packets import PUBACK
from mqtt_wire import NothingCame, WireClient
from session import Session


class Pair:
    """Two clean clients that pass a QoS 0 message to and fro; nothing of theirs is stored."""

    def __init__(self, port: int):
        self._clients = [WireClient(port), WireClient(port)]
        for index, client in enumerate(self._clients):
            client.connect(f"pair{index}")
            client.subscribe(f"pair/{index}")
        self.times: list[float] = []

    def tick(self, _now: float) -> None:
        """One round trip; as an actor of a loop it is done in every turn."""
        started = time.monotonic()
        for index in (1, 0):
            self._clients[1 - index].send_publish(f"pair/{index}", b"ball")
            self._clients[index].message(f"pair/{index}", b"ball")
        self.times.append(time.monotonic() - started)

    def worst(self) -> float:
        return max(self.times)

    def usual(self) -> float:
        return sorted(self.times)[len(self.times) // 2]

    def close(self) -> None:
        for client in self._clients:
            client.socket.close()


class Publishing:
    """Publishers of QoS 1 and 2 in both versions, and a subscriber with a session that is away."""

    def __init__(self, port: int, versions=(5, 4), window: int = 50, name: str = "p"):
        self.record = h.Recorder()
        self.keeper = Session(f"keeper-{name}", port, self.record)
        self.publishers = {(version, qos): Session(f"{name}{qos}v{version}", port, self.record, version=version,
                                                   window=window) for version in versions for qos in (1, 2)}
        self.loop = Loop(self.keeper, *self.publishers.values())
        self._numbers = dict.fromkeys(self.publishers, 0)
        self._topic = f"t/{name}"
        self.keeper.subscribe(f"{self._topic}/#", 2)
        self.loop.until(lambda: all(each.idle() for each in self.loop.sessions), "the sessions are there")
        self.keeper.leave()

    def publish(self, count: int, size: int = 0) -> None:
        """`count` messages of each publisher."""
        for _ in range(count):
            for (version, qos), session in self.publishers.items():
                self._numbers[version, qos] += 1
                message = h.Message(session.name, f"{self._topic}/{session.name}", self._numbers[version, qos])
                session.publish(message, qos, size=size)

    def settle(self, what: str, deadline: float) -> None:
        """All publishers have all their answers."""
        self.loop.until(lambda: all(each.idle() for each in self.publishers.values()), what, deadline)

    def refused(self, version: int = 5) -> list[tuple[int, str]]:
        """Reason codes and strings of the refusals so far."""
        return [each.detail for each in self.record.events
                if each.what == h.REFUSED and each.client.endswith(f"v{version}")]

    def events(self, what: str, since: int = 0) -> list[h.Event]:
        return [each for each in self.record.events[since:] if each.what == what]

    def collect(self, deadline: float) -> list[Fault]:
        """The subscriber comes and takes everything; what is wrong then, but for refusals."""
        answered = {each.message for each in self.events(h.COMPLETED)}

        def all_there():
            got = {each.message for each in self.events(h.GOT)}
            return self.keeper.lost or (answered <= got and self.keeper.idle())

        self.keeper.come()
        try:
            self.loop.until(all_there, "the queue of the subscriber", deadline)
        except AssertionError:
            pass  # the faults say what is missing
        refused = {each.message for each in self.events(h.REFUSED)}
        came = {each.message for each in self.events(h.GOT)}
        wrong = [each for each in check(self.record.events) if each.kind != "refused"]
        return wrong + [Fault("refused and delivered all the same", "keeper", "", each) for each in refused & came]


class Tripwire:
    """Finds out that the broker has noticed the trouble: a message of a client that has nothing waiting is refused.

    What a client sent before waits, and what it sends then waits behind it, for answers keep their order.
    """

    def __init__(self, port: int):
        self._port = port
        keeper = WireClient(port)
        keeper.connect("tripwire", clean=False, props={"session_expiry": 1000})
        keeper.subscribe("trip", qos=1)
        keeper.disconnect()

    def refusal(self, deadline: float):
        """The PUBACK that refuses."""
        ends = time.monotonic() + deadline
        while time.monotonic() < ends:
            client = WireClient(self._port)
            client.connect()
            packet_id = client.send_publish("trip", b"still there?", qos=1)
            try:
                answer = client.wait_for(PUBACK, packet_id, timeout=0.5)
            except NothingCame:
                continue  # it waits: it was sent before
            finally:
                client.socket.close()
            if answer.reason:
                return answer
        raise AssertionError(f"no message is refused within {deadline} s")
