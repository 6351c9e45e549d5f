"""Makes the file of a store with many sessions: comqtt makes its tables, this fills them."""

import os
import sqlite3
import time
from dataclasses import dataclass

from harness import brokers

HEADER_BYTES = 80  # about what comqtt adds to a message in memory; only the sum of queues shows it
NEVER = 4294967295
ORIGIN = "bench-publisher"


@dataclass(frozen=True)
class Contents:
    sessions: int
    per_session: int  # subscriptions, and messages waiting: one for each subscription
    size: int  # bytes of a payload


def client_id(session):
    return f"bench-d{session:07}"


def topic(session, number):
    return f"bench/durable/{session:07}/{number:02}"


def payload(contents, session, number):
    """Of `size` bytes, and no two alike."""
    return f"{session:07} {number:02} ".encode().ljust(contents.size, b"x")[:contents.size]


def make(path, comqtt, contents):
    """Writes `path`, closed in order."""
    with brokers.RunningBroker(brokers.store_at(comqtt, path), 1, os.sched_getaffinity(0), False):
        pass
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-1000000")
        _fill(database, contents)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _fill(database, contents):
    now = int(time.time() * 1000)
    sessions, each = range(contents.sessions), range(contents.per_session)
    database.executemany(
        "INSERT INTO sessions (id, client_id, username, remote, listener, version, clean_start, "
        "expiry_interval, disconnected_ms) VALUES (?, ?, '', '127.0.0.1:1', 'tcp-1', 4, 0, ?, ?)",
        ((session + 1, client_id(session), NEVER, now) for session in sessions))
    database.executemany(
        "INSERT INTO subscriptions (session, filter, options, identifier) VALUES (?, ?, 1, 0)",
        ((session + 1, topic(session, number)) for session in sessions for number in each))
    # As they came in: one to every session, then the next to every session. The rows of a queue
    # are then spread over the file as those of a broker in use.
    order = [(number * contents.sessions + session + 1, session, number)
             for number in each for session in sessions]
    database.executemany(
        "INSERT INTO messages (id, refs, created_ms, flags, topic, payload, origin) "
        "VALUES (?, 1, ?, 1, ?, ?, ?)",
        ((at, now, topic(session, number), payload(contents, session, number), ORIGIN)
         for at, session, number in order))
    size = HEADER_BYTES + len(topic(0, 0)) + contents.size + len(ORIGIN)
    database.executemany(
        "INSERT INTO queue (session, position, message, packet_id, flags, size, expires_ms) "
        "VALUES (?, ?, ?, 0, 1, ?, 0)",
        ((session + 1, at, at, size) for at, session, _ in order))


def mark_unclean(path):
    """As an end leaves it that was not in order: comqtt then looks at every page of it."""
    with sqlite3.connect(path) as database:
        database.execute("UPDATE state SET value=0 WHERE name='clean'")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def drop_from_memory(path):
    """So that it is read from the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
