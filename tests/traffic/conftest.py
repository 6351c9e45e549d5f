"""Fixtures of the content tests: brokers with and without a store, and crowds of clients that check every byte."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from broker import Broker  # noqa: E402
from clients import ROOT  # noqa: E402
from crowd import Crowd  # noqa: E402

# These clients read as fast as they are let; a machine that has no time for them is not to count as a receiver that takes
# nothing. What becomes of such is tested elsewhere.
PATIENT = ("limits.patience-ms=5000",)


def pytest_addoption(parser):
    group = parser.getgroup("comqtt")
    group.addoption("--comqtt", default=str(ROOT / "build/release/comqtt"), help="broker program under test")
    group.addoption("--threads", default="1,2", help="values of the broker's --threads to run every test with")
    group.addoption("--store", default="without,with", help="run every test without a store, with one, or both")


def pytest_generate_tests(metafunc):
    if "threads" in metafunc.fixturenames:
        counts = [int(each) for each in metafunc.config.getoption("--threads").split(",")]
        metafunc.parametrize("threads", counts, ids=[f"{n}-threads" if n > 1 else "1-thread" for n in counts],
                             scope="session")
    if "stored" in metafunc.fixturenames:
        words = metafunc.config.getoption("--store").split(",")
        metafunc.parametrize("stored", [word == "with" for word in words], ids=[f"{word}-store" for word in words],
                             scope="session")


@pytest.fixture(scope="session")
def comqtt_program(pytestconfig) -> Path:
    return Path(pytestconfig.getoption("--comqtt")).resolve()


@pytest.fixture(scope="session")
def broker_cache(comqtt_program, tmp_path_factory):
    """Brokers by (options, threads, stored); all of them end with the session, each with exit code 0."""
    running: dict[tuple, Broker] = {}

    def get(options: tuple, threads: int, stored: bool) -> Broker:
        key = (options, threads, stored)
        if key not in running or not running[key].alive():
            store = tmp_path_factory.mktemp("store") / "comqtt.db" if stored else None
            running[key] = Broker(comqtt_program, (*PATIENT, *options), threads, store=store)
        return running[key]

    yield get
    codes = {broker.port: broker.stop() for broker in running.values()}
    assert not any(codes.values()), f"exit codes of the brokers by port: {codes}"


@pytest.fixture
def crowd_with(broker_cache, threads, stored):
    """crowd_with("key=value", ...): a crowd at a broker with these options (shared between tests)."""
    made: list[Crowd] = []

    def make(*options: str) -> Crowd:
        made.append(Crowd(broker_cache(options, threads, stored)))
        return made[-1]

    yield make
    for crowd in made:
        crowd.close()
        assert crowd.broker.alive(), f"the broker died with {crowd.broker.process.returncode}:\n{crowd.broker.log()}"


@pytest.fixture
def restarting(comqtt_program, threads, tmp_path):
    """A crowd at a broker of this test alone that has a store, and restart(kill): a new one in the same place."""
    def start(port: int) -> Broker:
        return Broker(comqtt_program, PATIENT, threads, port=port, store=tmp_path / "comqtt.db")

    def restart(kill: bool) -> None:
        for each in crowd.peers:
            each.leave()
        if kill:
            crowd.broker.process.kill()
            crowd.broker.wait()
        else:
            assert crowd.broker.stop() == 0
        crowd.broker = start(crowd.broker.port)

    crowd = Crowd(start(0))
    yield crowd, restart
    crowd.close()
    assert crowd.broker.stop() == 0


@pytest.fixture
def crowd(crowd_with):
    return crowd_with()


@pytest.fixture
def rng(request) -> random.Random:
    """The same numbers for the same test."""
    return random.Random(request.node.name)
