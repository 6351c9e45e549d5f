"""durability relaxed: acknowledged at once, committed within the flush interval; a crash takes the newest only."""

import time

import pytest

import history as h
from broker import TIME_FACTOR
from trouble import Pair, Publishing

INTERVAL_MS = 400
MARGIN = 1.0 * TIME_FACTOR  # seconds
SOON = 10.0 * TIME_FACTOR


@pytest.fixture
def relaxed(broker, disk, threads):
    return broker(f"storage.flush-interval-ms={INTERVAL_MS}", threads=threads, durability="relaxed",
                  environment=disk.environment)


def _numbers(work, name):
    return [each.message.number for each in work.events(h.GOT) if each.message.publisher == name]


def test_acknowledgements_do_not_wait_for_the_disk(relaxed, disk):
    work = Publishing(relaxed.port)
    disk.set(sync_ms=2000 * TIME_FACTOR)
    work.publish(20)
    work.settle("published", SOON)
    sent = {each.message: each.at for each in work.events(h.SENT)}
    waits = [each.at - sent[each.message] for each in work.events(h.COMPLETED)]
    assert max(waits) < 1.0 * TIME_FACTOR, max(waits)
    disk.set()


def test_what_is_older_than_the_flush_interval_survives_a_crash(relaxed, disk):
    work, pair = Publishing(relaxed.port), Pair(relaxed.port)
    work.loop.actors.append(pair)
    work.publish(50)
    work.settle("published", SOON)
    old = {each.message for each in work.events(h.COMPLETED)}
    until = time.monotonic() + INTERVAL_MS / 1000 + MARGIN
    work.loop.until(lambda: time.monotonic() > until, "the interval is over")
    work.publish(50)
    work.settle("published what may be lost", SOON)
    work.loop.actors.clear()
    relaxed.kill()
    pair.close()
    relaxed.start({})
    for each in work.publishers.values():
        each.leave()
    work.keeper.come()
    work.loop.until(lambda: work.keeper.lost or (old <= {each.message for each in work.events(h.GOT)}
                                                 and work.keeper.idle()), "what is older", SOON)
    assert not work.keeper.lost
    for each in work.publishers.values():
        came = _numbers(work, each.name)
        assert came == list(range(1, len(came) + 1)), f"not the newest alone are lost: {each.name}: {came}"
