"""Fixtures of the durability tests: the program under test, folders for its files, and a disk that can fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from fault_disk import FaultDisk, build_shim  # noqa: E402
from store_broker import StoreBroker  # noqa: E402

ROOT = HERE.parents[1]


def pytest_addoption(parser):
    group = parser.getgroup("comqtt")
    group.addoption("--comqtt", default=str(ROOT / "build/release/comqtt"), help="broker program under test")
    group.addoption("--threads", default="1,2", help="values of the broker's --threads to run the tests with")
    group.addoption("--storage-way", default="1", help="0 tries the tests themselves with a broker in memory")


def pytest_generate_tests(metafunc):
    if "threads" in metafunc.fixturenames:
        counts = [int(each) for each in metafunc.config.getoption("--threads").split(",")]
        metafunc.parametrize("threads", counts, ids=[f"{n}-threads" if n > 1 else "1-thread" for n in counts])


@pytest.fixture(scope="session")
def comqtt_program(pytestconfig) -> Path:
    return Path(pytestconfig.getoption("--comqtt")).resolve()


@pytest.fixture(scope="session")
def shim(tmp_path_factory) -> Path:
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def broker(pytestconfig, comqtt_program, tmp_path):
    """broker("key=value", threads=2, ...): a running broker with a store in the test's folder."""
    made: list[StoreBroker] = []
    way = int(pytestconfig.getoption("--storage-way"))

    def start(*settings: str, path: Path | None = None, run: bool = True, **options) -> StoreBroker:
        options.setdefault("way", way)
        made.append(StoreBroker(comqtt_program, path or tmp_path / "store" / "comqtt.db", settings, log_folder=tmp_path,
                                **options))
        if run:
            made[-1].start()
        return made[-1]

    (tmp_path / "store").mkdir()
    yield start
    for each in made:
        each.discard()


@pytest.fixture
def disk(shim, tmp_path, comqtt_program) -> FaultDisk:
    return FaultDisk(shim, tmp_path, comqtt_program)
