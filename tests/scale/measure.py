"""Runs a structure through its phases at two sizes and compares: work per item, and how long others waited."""

from __future__ import annotations

import shutil
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from broker import TIME_FACTOR
from scale_broker import ScaleBroker

REPEATS = 3  # of the small size, each with a broker that has done nothing yet; their median counts
TRIES = 3  # what is superlinear fails each time, a busy machine does not
MOST_GROWTH = 3.0
MOST_WAIT = 0.5 * TIME_FACTOR  # seconds beyond what others waited while nothing happened


@dataclass
class Figure:
    """What one phase came to at one size."""

    phase: str
    size: int
    items: int
    work: float  # seconds of the broker's processor time
    seconds: float
    others: dict
    idle: dict

    @property
    def per_item(self) -> float:
        return self.work / self.items


def measure(make, size: int, program: Path, folder: Path, *, threads: int, store: bool,
            realtime: bool = False) -> list[Figure]:
    """Figures of each phase, in order, with a fresh broker. `make`: a Structure."""
    broker = ScaleBroker(program, folder, make.options(size), threads=threads, store=store)
    broker.begin(realtime)
    figures = []
    try:
        structure = make(broker)
        for phase in structure.phases:
            broker.others()
            work, started = broker.work(), time.monotonic()
            items = getattr(structure, phase)(size) or size
            seconds = time.monotonic() - started
            used = broker.work() - work - seconds * broker.idle_rate
            figures.append(Figure(phase, size, items, used, seconds, broker.others(), broker.idle))
        structure.close()
    finally:
        broker.end()
        shutil.rmtree(folder)
    return figures


def compare(make, few: list[list[Figure]], many: list[Figure]) -> list[str]:
    """What is wrong with these figures of the small size, several times, and of the large one."""
    problems, name = [], make.__name__
    for figure, *before in zip(many, *few):
        usual = statistics.median(each.per_item for each in before)
        growth = figure.per_item / usual
        line = (f"{name}.{figure.phase}: {usual * 1e6:.2f} us per item of {before[0].size}, "
                f"{figure.per_item * 1e6:.2f} of {figure.size}: {growth:.1f} times; {figure.seconds:.1f} s, "
                f"others waited {figure.others['longest']:.3f} s at most "
                f"({figure.others['max']:.3f} s on this machine)")
        print(line)
        if growth > make.growth.get(figure.phase, MOST_GROWTH):
            problems.append(f"too much work: {line}")
        for each in (figure, *before):
            if each.others["longest"] > MOST_WAIT + each.idle["longest"]:
                problems.append(f"others waited {each.others['longest']:.3f} s ({each.idle['longest']:.3f} when idle) "
                                f"during {name}.{each.phase} of {each.size}")
    return problems


def check(make, program: Path, folder: Path, *, threads: int, store: bool) -> None:
    """Fails when the work per item grows with the number of items, or others wait."""
    small, large = make.sizes()
    for _ in range(TRIES):
        few = [measure(make, small, program, folder / "b", threads=threads, store=store) for _ in range(REPEATS)]
        many = measure(make, large, program, folder / "b", threads=threads, store=store)
        problems = compare(make, few, many)
        if not problems:
            return
    raise AssertionError("\n".join(problems))
