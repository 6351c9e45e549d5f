"""The broker's process ends at every single write or sync of its store: what was acknowledged before is there after."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from broker import TIME_FACTOR
from fault_disk import FaultDisk
from short_run import ShortRun
from store_broker import StoreBroker

WRITES = 24  # of all writes, so many are tried
PARALLEL = min(2, os.cpu_count() or 1)


@pytest.fixture
def short_run(pytestconfig, comqtt_program, shim, tmp_path):
    """short_run(threads, op=..., kill=..., at=...): what went wrong, and the disk it was done with."""
    def run(threads: int, **fault) -> tuple[str, FaultDisk]:
        folder = tmp_path / ("-".join(str(each) for each in fault.values()) or "none")
        folder.mkdir()
        disk = FaultDisk(shim, folder, comqtt_program)
        disk.set(**fault)
        broker = StoreBroker(comqtt_program, folder / "comqtt.db", ("storage.retry-ms=50",), log_folder=folder,
                             threads=threads, way=int(pytestconfig.getoption("--storage-way")))
        try:
            return ShortRun(broker, disk).run(), disk
        finally:
            broker.discard()

    return run


@pytest.fixture
def operations(short_run):
    """How many writes and syncs an undisturbed run has."""
    problem, disk = short_run(1)
    assert not problem, problem
    return {"write": disk.count("write"), "sync": disk.count("sync")}


def _moments(op, total):
    if op == "sync":
        step = 1 if TIME_FACTOR == 1 else 4
    else:
        step = max(1, total // (WRITES // TIME_FACTOR))
    return range(1, total + 1, step)


@pytest.mark.parametrize("op, kill", (("sync", "before"), ("sync", "torn"), ("sync", "lost"), ("sync", "after"),
                                      ("write", "torn"), ("write", "lost")))
def test_nothing_acknowledged_is_lost_at_any_boundary(short_run, operations, op, kill):
    assert operations["sync"] > 10, f"the store hardly syncs: {operations}"

    def one(at: int) -> str:
        problem, _ = short_run(1 + at % 2, op=op, kill=kill, at=at)
        return f"{kill} {op} {at} of {operations[op]}:\n{problem}" if problem else ""

    with ThreadPoolExecutor(PARALLEL) as pool:
        problems = [each for each in pool.map(one, _moments(op, operations[op])) if each]
    assert not problems, f"{len(problems)} of {operations[op]}:\n" + "\n".join(problems[:3])


def test_the_short_run_itself_is_in_order(short_run):
    problem, _ = short_run(2)
    assert not problem, problem
