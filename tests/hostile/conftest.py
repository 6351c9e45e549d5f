"""Fixtures of the tests with hostile clients: a broker with small limits for each test, with and without a store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "durability")]

from clients import ROOT  # noqa: E402
from fault_disk import FaultDisk, build_shim  # noqa: E402
from siege import Siege  # noqa: E402


def pytest_addoption(parser):
    group = parser.getgroup("comqtt")
    group.addoption("--comqtt", default=str(ROOT / "build/release/comqtt"), help="broker program under test")
    group.addoption("--threads", default="1,2", help="values of the broker's --threads to run every test with")
    group.addoption("--store", default="without,with", help="run every test without a store, with one, or both")


def pytest_generate_tests(metafunc):
    if "threads" in metafunc.fixturenames:
        counts = [int(each) for each in metafunc.config.getoption("--threads").split(",")]
        metafunc.parametrize("threads", counts, ids=[f"{n}-threads" if n > 1 else "1-thread" for n in counts])
    if "stored" in metafunc.fixturenames:
        words = metafunc.config.getoption("--store").split(",")
        metafunc.parametrize("stored", [word == "with" for word in words], ids=[f"{word}-store" for word in words])


@pytest.fixture(scope="session")
def comqtt_program(pytestconfig) -> Path:
    return Path(pytestconfig.getoption("--comqtt")).resolve()


@pytest.fixture
def besiege(comqtt_program, threads, stored, tmp_path):
    """besiege("key=value", ...): a broker of this test alone, with these options besides the small limits."""
    made: list[Siege] = []

    def make(*settings: str) -> Siege:
        store = tmp_path / f"{len(made)}.db" if stored else None
        made.append(Siege(comqtt_program, settings, threads, store))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture(scope="session")
def shim(tmp_path_factory) -> Path:
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def besiege_hanging(comqtt_program, shim, threads, tmp_path):
    """besiege_hanging("key=value", ...): the broker, and hang() from which on no commit of its store ends."""
    made: list[Siege] = []
    disk = FaultDisk(shim, tmp_path, comqtt_program)

    def make(*settings: str):
        made.append(Siege(comqtt_program, settings, threads, tmp_path / "store.db", disk.environment))
        return made[-1], lambda: disk.set(sync_ms=600_000)

    yield make
    for each in made:
        each.end(hangs=True)
