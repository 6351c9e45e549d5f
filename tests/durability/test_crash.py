"""Clients with sessions go on while the broker is killed at random moments: nothing acknowledged is lost.

COMQTT_CRASHES=n sets the number of kills of each test, COMQTT_SEED=n the moments.
"""

import os
import random

import pytest

import checker
from broker import TIME_FACTOR
from crash_run import CrashRun

KILLS = int(os.environ.get("COMQTT_CRASHES", "0"))
SETTINGS = ("capabilities.maximum-client-writes-pending=100000",)


def _seed():
    return int(os.environ.get("COMQTT_SEED", random.SystemRandom().randrange(1_000_000)))


def _kills(usual):
    return KILLS or max(2, usual // TIME_FACTOR)


def _judge(run, kills, broker, way):
    result = run.run(kills)
    assert not result.verdict(), result.verdict()
    acked = sum(each.what == "acked" for each in result.events)
    assert acked > kills * 10, f"only {acked} messages were acknowledged: the run says little"
    assert broker.stop() == 0, broker.log()
    if way:
        assert not broker.bad_files()
        left = broker.row_counts()
        assert (left["messages"], left["queue"], left["received"]) == (0, 0, 0), f"everything was taken: {left}"


@pytest.mark.parametrize("sync", ("full", "normal"))
def test_nothing_acknowledged_is_lost_when_the_broker_is_killed(broker, tmp_path, pytestconfig, threads, sync):
    own = broker(*SETTINGS, threads=threads, sync=sync, run=False)
    _judge(CrashRun(own, tmp_path, _seed()), _kills(13), own, int(pytestconfig.getoption("--storage-way")))


def test_nothing_acknowledged_is_lost_when_power_fails(broker, disk, tmp_path, pytestconfig, threads):
    disk.set(undo=1)
    own = broker(*SETTINGS, threads=threads, sync="full", run=False, environment=disk.environment)
    _judge(CrashRun(own, tmp_path, _seed(), disk), _kills(8), own, int(pytestconfig.getoption("--storage-way")))


def test_a_run_without_a_crash_is_in_order(broker, tmp_path):
    own = broker(*SETTINGS, threads=2, run=False, way=0)
    result = CrashRun(own, tmp_path, 1).run(0)
    assert not result.verdict(), result.verdict()


def test_a_broker_that_keeps_nothing_is_found_out(broker, tmp_path):
    """The verdict is worth something: what a broker without a store loses in a crash is seen."""
    own = broker(*SETTINGS, threads=2, run=False, way=0)
    found = {fault.kind for fault in CrashRun(own, tmp_path, 1).run(2).faults}
    assert {checker.LOST_SESSION, checker.MISSING} <= found
