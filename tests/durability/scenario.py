"""Who takes part in a crash test, and the processes they run in."""

from __future__ import annotations

import multiprocessing
import random
import time
import traceback
from pathlib import Path

import history as h
from actors import Pacer, RetainedReader, Roamer, Toggler
from broker import TIME_FACTOR
from checker import matches
from loop import DEADLINE, Loop
from session import Session

RATE = 80 / TIME_FACTOR  # messages per second of each publisher
PUBLISHERS = {"p1v5": (5, 1), "p1v4": (4, 1), "p2v5": (5, 2), "p2v4": (4, 2)}  # name: version, QoS
TOPICS = {name: [f"d/{name}/{index}" for index in range(3)] for name in PUBLISHERS}
RETAINED = [f"r/{index}" for index in range(4)]
KEEPER = "keeper"  # who publishes them
MEMBERS = ("g1", "g2")


class Publishers:
    """One process: all publishers."""

    def __init__(self, port: int, seed: int, record):
        self.pacers = []
        for name, (version, qos) in PUBLISHERS.items():
            session = Session(name, port, record, version=version, window=16)
            self.pacers.append(Pacer(session, TOPICS[name], qos, RATE, size=random.Random(seed).choice((0, 300))))
        keeper = Session(KEEPER, port, record, window=4)
        self.pacers.append(Pacer(keeper, RETAINED, 1, RATE / 4, retain=True))
        self.loop = Loop(*(each.session for each in self.pacers))
        self.loop.actors = self.pacers

    def ready(self) -> None:
        """Every retained topic has a value before anything is killed."""
        for topic in RETAINED:
            self.pacers[-1].one(topic)
        self._settled("all publishers connected")

    def run(self) -> None:
        for each in self.pacers:
            each.active = True

    def drain(self, _=None) -> dict[str, int]:
        """Stops; everything is acknowledged. The greatest number per topic."""
        for each in self.pacers:
            each.active = False
        self._settled("every message acknowledged")
        return {topic: number for each in self.pacers for topic, number in each.numbers.items()}

    def probe(self, _=None) -> dict[str, int]:
        """One more message to each topic."""
        for each in self.pacers:
            for topic in each.topics:
                each.one(topic)
        return self.drain()

    def _settled(self, what: str) -> None:
        self.loop.settle(what, 2 * DEADLINE)


class Subscribers:
    """One process: all subscribers, and the reader of retained messages."""

    def __init__(self, port: int, seed: int, record):
        def session(name, version, **options):
            lazy = random.Random(f"{seed}{name}") if options.pop("lazy", True) else None
            return Session(name, port, record, version=version, lazy=lazy, **options)

        chance = random.Random(seed)
        stable = {
            session("s1v5", 5, lazy=False, receive_maximum=8): [("d/+/0", 1), ("d/+/1", 1)],
            session("s2v4", 4): [("d/#", 2)],
            session("s3v5", 5, receive_maximum=20): [("d/#", 2)],
            session("s4v4", 4): [("d/#", 1)],
            session("s5v5", 5): [("r/#", 1)],
            session("s6v4", 4): [],
            session(MEMBERS[0], 5): [("$share/g/d/#", 2)],
            session(MEMBERS[1], 5): [("$share/g/d/#", 2)],
        }
        for each, filters in stable.items():
            for topic_filter, qos in filters:
                each.subscribe(topic_filter, qos)
        by_name = {each.name: each for each in stable}
        self._stable = [(each, filters) for each, filters in stable.items() if each.name not in MEMBERS]
        self._reader = RetainedReader("reader", port, record, "r/#", RETAINED, patience=5 * TIME_FACTOR)
        self._togglers = [
            Toggler(by_name["s5v5"], [f"d/{name}/+" for name in PUBLISHERS], 2, chance),
            Toggler(by_name["s6v4"], [topic for topics in TOPICS.values() for topic in topics], 2, chance),
        ]
        self._others = [Roamer(by_name[name], chance) for name in ("s3v5", "s4v4", MEMBERS[1])]
        self.loop = Loop(*stable)
        self.loop.actors = [*self._togglers, *self._others]

    def ready(self) -> None:
        self.loop.settle("all subscribed")

    def run(self) -> None:
        if self._reader not in self.loop.sessions:
            self.loop.sessions.append(self._reader)
        for each in self.loop.actors:
            each.active = True

    def drain(self, newest: dict[str, int]) -> dict[str, int]:
        """Everybody stays; the newest message of each topic is there, nothing more comes, the reader has read."""
        for each in self.loop.actors:
            each.active = False
        self._reader.come()
        rounds = self._reader.rounds
        self.loop.until(lambda: self._lost() or self._reader.rounds > rounds + 1, "retained messages read")
        self.loop.until(lambda: self._lost() or self._arrived(newest), "the newest messages", 2 * DEADLINE)
        self._reader.leave()
        self.loop.settle("all taken")
        return {}

    def _lost(self) -> bool:
        """What is lost for good need not be waited for."""
        return any(each.lost for each in self.loop.sessions)

    probe = drain

    def _arrived(self, newest: dict[str, int]) -> bool:
        sessions = [each for each in self.loop.sessions if each is not self._reader]
        quiet = max(each.inbound.last_at for each in sessions)
        return (all(each.idle() for each in sessions)
                and time.monotonic() > quiet + 0.3 * TIME_FACTOR
                and all(each.inbound.got.get(topic, 0) >= number for each, topic, number in self._due(newest)))

    def _due(self, newest: dict[str, int]):
        for each, filters in self._stable:
            for topic, number in newest.items():
                if any(matches(topic_filter, topic) for topic_filter, _ in filters):
                    yield each, topic, number


def _serve(part, port: int, seed: int, folder: Path, pipe) -> None:
    """The body of a process: takes one order after the other and goes on in between."""
    record = h.Recorder()
    cast = part(port, seed, record)
    cast.loop.others.append(pipe)
    while True:
        while not pipe.poll(0):
            cast.loop.turn()
        order, *arguments = pipe.recv()
        try:
            answer = getattr(cast, order)(*arguments) if order != "save" else None
        except AssertionError as error:
            answer = error
        except Exception:
            answer = AssertionError(traceback.format_exc())
        if order == "save":
            record.save(folder / f"{part.__name__}.history")
        pipe.send(answer)


class Process:
    """One part of the scenario in a process of its own."""

    def __init__(self, part, port: int, seed: int, folder: Path):
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self.history = folder / f"{part.__name__}.history"
        self._process = context.Process(target=_serve, args=(part, port, seed, folder, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, order: str, *arguments) -> object:
        self._pipe.send((order, *arguments))
        if not self._pipe.poll(6 * DEADLINE):
            raise AssertionError(f"no answer to {order}")
        answer = self._pipe.recv()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def rest(self, seconds: float) -> None:
        """Lets it go on for this time; it must not end by itself."""
        assert not self._pipe.poll(seconds), f"it said {self._pipe.recv()}"

    def end(self) -> None:
        self._process.kill()
        self._process.join()
