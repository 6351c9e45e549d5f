"""A short, always equal piece of work for a broker whose process ends at one chosen operation of its disk."""

from __future__ import annotations

import signal
from pathlib import Path

import history as h
from actors import RetainedReader
from broker import TIME_FACTOR
from checker import check, report
from fault_disk import FaultDisk
from loop import Loop
from session import Session
from store_broker import DidNotStart, StoreBroker

READER_PATIENCE = 5 * TIME_FACTOR


class Watched:
    """A broker that is started again, on a good disk, as soon as it has died."""

    def __init__(self, broker: StoreBroker, disk: FaultDisk, record):
        self.broker, self._disk, self._record = broker, disk, record
        self.died = False

    def first_start(self) -> None:
        """On the disk that may end it already."""
        try:
            self.broker.start(self._disk.environment)
            self._record(h.BROKER, h.STARTED)
        except DidNotStart:
            assert self.broker.process.returncode == -signal.SIGKILL, self.broker.log()
            self.tick(0)

    def tick(self, _now: float) -> None:
        if not self.broker.alive():
            self.died = True
            self._record(h.BROKER, h.KILLED)
            self.start()

    def start(self) -> None:
        self.broker.start({})
        self._record(h.BROKER, h.STARTED)


class ShortRun:
    """Two subscribers with sessions (one of them away for a while), a publisher, a retained topic."""

    def __init__(self, broker: StoreBroker, disk: FaultDisk):
        self._record = h.Recorder()
        port = broker.port
        self._one = Session("one", port, self._record, version=5, receive_maximum=2)
        self._two = Session("two", port, self._record, version=4)
        self._publisher = Session("pub", port, self._record, version=5, window=2)
        self._reader = RetainedReader("reader", port, self._record, "r/#", ["r/1"], patience=READER_PATIENCE)
        self._loop = Loop(self._one, self._two, self._publisher)
        self._watched = Watched(broker, disk, self._record)
        self._broker = broker
        self._numbers: dict[str, int] = {}

    def run(self) -> str:
        """What went wrong, or nothing."""
        self._loop.actors.append(self._watched)
        try:
            self._watched.first_start()
            self._work()
            self._loop.actors.remove(self._watched)
            self._restart()
            self._after()
        except (AssertionError, DidNotStart) as error:
            return f"{error}\n{self._verdict()}\nbroker:\n{self._broker.log()[-3000:]}"
        return self._verdict() or self._leftovers()

    def _verdict(self) -> str:
        faults = check(self._record.events)
        return report(self._record.events, faults) if faults else ""

    def _publish(self, topic: str, qos: int, retain: bool = False) -> None:
        self._numbers[topic] = self._numbers.get(topic, 0) + 1
        self._publisher.publish(h.Message("pub", topic, self._numbers[topic]), qos, retain, size=200)

    def _settle(self, what: str) -> None:
        self._loop.settle(what)

    def _arrived(self, session: Session, *topics: str) -> None:
        self._loop.until(lambda: session.lost or all(session.inbound.got.get(each) == self._numbers[each]
                                                     for each in topics), f"{topics} at {session.name}")

    def _work(self) -> None:
        self._one.subscribe("a/#", 2)
        self._two.subscribe("a/#", 1)
        self._settle("subscribed")
        self._publish("a/1", 1)
        self._publish("a/2", 2)
        self._publish("r/1", 1, retain=True)
        self._settle("published")
        self._arrived(self._two, "a/1", "a/2")
        self._settle("taken")
        self._two.leave()
        for _ in range(2):
            self._publish("a/1", 1)
            self._publish("a/2", 2)
        self._publish("r/1", 1, retain=True)
        self._settle("published to a queue")
        self._two.come()
        for each in (self._one, self._two):
            self._arrived(each, "a/1", "a/2")
        self._settle("taken from the queue")
        self._one.unsubscribe("a/#")
        self._one.subscribe("b/#", 2)
        self._settle("subscribed anew")
        self._publish("a/1", 1)
        self._publish("b/1", 2)
        self._settle("published to the new subscription")

    def _restart(self) -> None:
        """An end in good order, which may be cut short as well; then a start on a good disk."""
        code = self._stop()
        assert code == 0 or (code == -signal.SIGKILL and not self._watched.died), f"exit code {code}"
        self._record(h.BROKER, h.STOPPED)
        self._watched.start()

    def _stop(self) -> int:
        self._broker.terminate()
        self._loop.until(lambda: not self._broker.alive(), "the broker stopped")
        return self._broker.process.returncode

    def _after(self) -> None:
        self._loop.sessions.append(self._reader)
        self._loop.until(lambda: self._reader.rounds > 0, "retained messages read")
        self._loop.sessions.remove(self._reader)
        self._publish("a/1", 1)
        self._publish("b/1", 2)
        self._settle("published after the restart")
        self._arrived(self._one, "b/1")
        self._arrived(self._two, "a/1")
        self._settle("all taken")

    def _leftovers(self) -> str:
        code = self._stop()
        if code:
            return f"exit code {code}:\n{self._broker.log()[-3000:]}"
        if not Path(self._broker.path).exists():
            return ""
        left, bad = self._broker.row_counts(), self._broker.bad_files()
        wrong = bad or any(left[table] for table in ("messages", "queue", "received"))
        return f"left in the store: {left} {bad}" if wrong else ""
