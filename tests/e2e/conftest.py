"""Fixtures: brokers on free ports, started once per set of options, and clients that end with their test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from broker import Broker  # noqa: E402
from clients import ROOT, Clients, unique_name  # noqa: E402


def pytest_addoption(parser):
    group = parser.getgroup("comqtt")
    group.addoption("--comqtt", default=str(ROOT / "build/release/comqtt"), help="broker program under test")
    group.addoption("--threads", default="1,2", help="values of the broker's --threads to run every test with")
    group.addoption("--broker-command", default=None,
                    help="command of another broker, with {port} in it; options and threads are not passed on")


def pytest_generate_tests(metafunc):
    if "threads" in metafunc.fixturenames:
        counts = [int(each) for each in metafunc.config.getoption("--threads").split(",")]
        metafunc.parametrize("threads", counts, ids=[f"{n}-threads" if n > 1 else "1-thread" for n in counts],
                             scope="session")


@pytest.fixture
def unique():
    return unique_name


@pytest.fixture(scope="session")
def comqtt_program(pytestconfig) -> Path:
    return Path(pytestconfig.getoption("--comqtt"))


@pytest.fixture(scope="session")
def broker_cache(pytestconfig, comqtt_program):
    """Brokers by (options, threads); all of them end with the session, each with exit code 0."""
    template = pytestconfig.getoption("--broker-command")
    running: dict[tuple, Broker] = {}

    def get(options: tuple, threads: int) -> Broker:
        key = (options, threads)
        if key not in running or not running[key].alive():
            running[key] = Broker(comqtt_program, options, threads, template)
        return running[key]

    yield get
    codes = {broker.port: broker.stop() for broker in running.values()}
    assert template or not any(codes.values()), f"exit codes of the brokers by port: {codes}"


def _serve(broker: Broker):
    clients = Clients(broker)
    yield clients
    clients.close()
    assert broker.alive(), f"the broker died with {broker.process.returncode}:\n{broker.log()}"


@pytest.fixture
def mqtt(broker_cache, threads):
    """Clients of the broker with default options."""
    yield from _serve(broker_cache((), threads))


@pytest.fixture
def mqtt_with(broker_cache, threads):
    """mqtt_with("key=value", ...): clients of a broker with these options (shared between tests)."""
    made: list[Clients] = []

    def make(*options: str) -> Clients:
        made.append(Clients(broker_cache(options, threads)))
        return made[-1]

    yield make
    for clients in made:
        clients.close()
        assert clients.broker.alive(), f"the broker died:\n{clients.broker.log()}"


@pytest.fixture
def own_broker(pytestconfig, comqtt_program, threads):
    """own_broker("key=value", ..., port=0): clients of a broker of this test alone, which it may stop."""
    made: list[Clients] = []

    def make(*options: str, port: int = 0) -> Clients:
        template = pytestconfig.getoption("--broker-command")
        made.append(Clients(Broker(comqtt_program, options, threads, template, port)))
        return made[-1]

    yield make
    for clients in made:
        clients.close()
        clients.broker.stop()
