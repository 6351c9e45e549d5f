"""The faulty disk itself: what it is told to do happens to a program that uses SQLite, and nothing else."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fault_disk import FaultDisk

PYTHON = Path(sys.executable).resolve()
WRITER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=" + sys.argv[2])
db.execute("CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, text TEXT)")
print("ready", flush=True)
for n in range(100):
    if sys.stdin.readline().strip() == "checkpoint":
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try:
        started = time.monotonic()
        db.execute("INSERT INTO t VALUES(?, ?)", (n, "x" * 6000))
        print("committed", n, round(time.monotonic() - started, 2), flush=True)
    except sqlite3.Error as error:
        print("failed", n, error.sqlite_errorname, flush=True)
"""


@pytest.fixture
def disk(shim, tmp_path):
    return FaultDisk(shim, tmp_path, PYTHON)


class Writer:
    """A program that commits one row at a time and says so."""

    def __init__(self, disk, path, synchronous):
        self.process = subprocess.Popen([str(PYTHON), "-c", WRITER, str(path), synchronous], text=True, bufsize=1,
                                        env=disk.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"

    def commit(self, first=""):
        """What it said about one row; an empty list when it was killed."""
        try:
            self.process.stdin.write(f"{first}\n")
        except BrokenPipeError:
            return []
        return self.process.stdout.readline().split()

    def end(self):
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.process.wait()


@pytest.fixture
def writer(disk, tmp_path):
    made = []

    def start(synchronous="FULL"):
        made.append(Writer(disk, tmp_path / "t.db", synchronous))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.end()


def rows(path):
    """The rows that are there after a restart; the file must be sound."""
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = [row[0] for row in db.execute("SELECT n FROM t ORDER BY n")]
    db.close()
    return found


@pytest.mark.parametrize("op", ("write", "sync"))
@pytest.mark.parametrize("kill", ("before", "torn", "lost", "after"))
def test_the_process_ends_at_the_chosen_operation(disk, writer, tmp_path, op, kill):
    program = writer()
    assert [program.commit()[0] for _ in range(3)] == ["committed"] * 3
    disk.set(op=op, kill=kill, at=2)
    said = [program.commit() for _ in range(3)]
    committed = [int(words[1]) for words in said if words]
    assert program.end() == -signal.SIGKILL
    found = rows(tmp_path / "t.db")
    assert found[: 3 + len(committed)] == [0, 1, 2, *committed]
    assert len(found) <= 3 + len(committed) + 1


def test_power_loss_takes_what_was_not_synced(disk, writer, tmp_path):
    disk.set(undo=1)
    program = writer("NORMAL")  # does not sync after a commit
    assert [program.commit()[0] for _ in range(3)] == ["committed"] * 3
    disk.set(op="write", kill="lost", at=1)
    assert program.commit() == []
    program.end()
    db = sqlite3.connect(tmp_path / "t.db")
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    db.close()


@pytest.mark.parametrize("at", range(1, 5))
def test_power_loss_around_a_checkpoint_takes_nothing_that_was_committed(disk, writer, tmp_path, at):
    disk.set(undo=1)
    program = writer()
    for _ in range(40):  # more in the log than one call of the real VFS reads
        program.commit()
    disk.set(op="sync", kill="lost", at=at)  # of the log, of the file, of the log that begins anew
    said = [program.commit("checkpoint") for _ in range(3)]
    program.end()
    committed = [int(words[1]) for words in said if words]
    assert len(committed) < 3
    assert rows(tmp_path / "t.db")[: 40 + len(committed)] == [*range(40), *committed]


@pytest.mark.parametrize("fault, error", (({"write": "full"}, "SQLITE_FULL"), ({"write": "short"}, "SQLITE_FULL"),
                                          ({"write": "ioerr"}, "SQLITE_IOERR_WRITE"),
                                          ({"sync": "ioerr"}, "SQLITE_IOERR_FSYNC")))
def test_a_failure_is_reported_and_ends_when_it_is_lifted(disk, writer, tmp_path, fault, error):
    program = writer()
    assert program.commit()[0] == "committed"
    disk.set(**fault)
    assert program.commit() == ["failed", "1", error]
    disk.set()
    assert program.commit()[0] == "committed"
    assert {0, 2} <= set(rows(tmp_path / "t.db"))


def test_a_slow_disk_takes_its_time_and_no_more(disk, writer):
    program = writer()
    disk.set(sync_ms=300)
    assert float(program.commit()[2]) >= 0.3
    disk.set()
    assert float(program.commit()[2]) < 0.3
    assert disk.count("sync wal") >= 2 and disk.count("write wal") > disk.count("sync wal")
