"""A broker that is killed again and again while the scenario's processes go on; then the verdict."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import history as h
from broker import TIME_FACTOR
from checker import Fault, check, report
from fault_disk import FaultDisk
from scenario import Process, Publishers, Subscribers
from store_broker import StoreBroker


@dataclass
class Result:
    seed: int
    events: list[h.Event]
    faults: list[Fault]

    def verdict(self) -> str:
        """Empty when nothing is wrong."""
        return f"seed {self.seed}\n{report(self.events, self.faults)}" if self.faults else ""


class CrashRun:
    """`disk`: some of the kills are power failures at a write or sync of the store, which lose what is not synced."""

    def __init__(self, broker: StoreBroker, folder: Path, seed: int, disk: FaultDisk | None = None):
        self._broker, self._folder, self._disk = broker, folder, disk
        self._chance = random.Random(seed)
        self._seed = seed
        self._record = h.Recorder()
        self._processes: list[Process] = []

    def run(self, kills: int) -> Result:
        print(f"seed {self._seed}, {kills} kills, {' '.join(self._broker.command)}")
        try:
            self._start()
            subscribers, publishers = (Process(part, self._broker.port, self._seed, self._folder)
                                       for part in (Subscribers, Publishers))
            self._processes = [subscribers, publishers]
            for order in ("ready", "run"):
                subscribers.ask(order)
                publishers.ask(order)
            for number in range(kills):
                self._crash(publishers, number)
            publishers.rest(0.5 * TIME_FACTOR)
            newest = publishers.ask("drain")
            subscribers.ask("drain", newest)
            if kills:  # nothing of what was taken comes again, and what is retained is there
                self._kill()
                self._start()
                subscribers.ask("drain", newest)
            subscribers.ask("probe", publishers.ask("probe"))
            for each in self._processes:
                each.ask("save")
        except AssertionError as error:
            raise AssertionError(f"seed {self._seed}: {error}\n{self._story()}\nbroker:\n{self._tail()}") from error
        finally:
            for each in self._processes:
                each.end()
        events = h.merged(self._record.events, *(h.load(each.history) for each in self._processes))
        return Result(self._seed, events, check(events))

    def _crash(self, publishers: Process, number: int) -> None:
        """Waits for a while and ends the broker in one of several ways; it is up again afterwards."""
        publishers.rest(self._chance.choice((0.02, 0.3, 1.0, 2.5)) * self._chance.random() * TIME_FACTOR)
        way = self._chance.random()
        if self._disk and way < 0.8:
            self._power_failure(publishers)
        elif way < 0.9:
            self._kill()
        else:
            self._broker.stop()
            self._record(h.BROKER, h.STOPPED)
        if self._chance.random() < 0.15:  # a crash during the start
            self._broker.launch()
            publishers.rest(self._chance.uniform(0, 0.1))
            self._kill()
        self._start()

    def _power_failure(self, publishers: Process) -> None:
        self._disk.set(op=self._chance.choice(("write", "write", "sync")), at=self._chance.randint(1, 40), undo=1,
                       kill=self._chance.choice(("lost", "lost", "torn", "after")))
        for _ in range(200):
            publishers.rest(0.01)
            if not self._broker.alive():
                break
        self._kill()
        self._disk.set(undo=1)

    def _kill(self) -> None:
        self._broker.kill()
        self._record(h.BROKER, h.KILLED)

    def _start(self) -> None:
        self._broker.start()
        self._record(h.BROKER, h.STARTED)

    def _story(self) -> str:
        """What the processes had seen when one of them gave up."""
        for each in self._processes:
            each.ask("save")
        events = h.merged(self._record.events, *(h.load(each.history) for each in self._processes))
        return report(events, check(events))

    def _tail(self) -> str:
        return "\n".join(self._broker.log().splitlines()[-20:])
