"""Options of the scale tests, and what measures a structure."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "durability")]

from bulk import raise_descriptor_limit  # noqa: E402
from measure import check  # noqa: E402

ROOT = HERE.parents[1]


def pytest_addoption(parser):
    group = parser.getgroup("comqtt")
    group.addoption("--comqtt", default=str(ROOT / "build/release/comqtt"), help="broker program under test")
    group.addoption("--threads", default="1,2", help="values of the broker's --threads to run the tests with")


def pytest_generate_tests(metafunc):
    if "threads" in metafunc.fixturenames:
        counts = [int(each) for each in metafunc.config.getoption("--threads").split(",")]
        metafunc.parametrize("threads", counts, ids=[f"{n}-threads" if n > 1 else "1-thread" for n in counts])


@pytest.fixture(scope="session", autouse=True)
def descriptors():
    raise_descriptor_limit()


@pytest.fixture
def scale(pytestconfig, threads):
    """scale(Structure, store=False): measures the structure at two sizes and compares."""
    program = Path(pytestconfig.getoption("--comqtt")).resolve()

    def run(make, store: bool = False) -> None:
        # A short path, for a Unix socket lies in it.
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            check(make, program, Path(folder), threads=threads, store=store)

    return run
