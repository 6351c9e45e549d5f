"""Drives sessions and the things that act on them, on one thread."""

from __future__ import annotations

import select
import time

from broker import TIME_FACTOR

DEADLINE = 15.0 * TIME_FACTOR
TURN = 0.005  # seconds; how late a timer may be


class Stalled(AssertionError):
    """What must come did not come before the deadline."""


class Loop:
    """`actors`: anything with tick(now); `others`: file objects whose readiness ends a turn."""

    def __init__(self, *sessions):
        self.sessions = list(sessions)
        self.actors: list = []
        self.others: list = []

    def turn(self) -> None:
        now = time.monotonic()
        for each in (*self.actors, *self.sessions):
            each.tick(now)
        poll = select.poll()
        by_number = {}
        for session in self.sessions:
            if session.socket is not None:
                by_number[session.socket.fileno()] = session
                poll.register(session.socket, select.POLLIN | (select.POLLOUT if session.unsent else 0))
        for other in self.others:
            poll.register(other, select.POLLIN)
        for number, events in poll.poll(TURN * 1000):
            session = by_number.get(number)
            if session and session.socket is not None and events & ~select.POLLOUT:
                session.readable()
            if session and session.socket is not None and events & select.POLLOUT:
                session.writable()

    def settle(self, what: str, deadline: float = DEADLINE) -> None:
        """All sessions that are to be there are, nothing of theirs waits, and the broker has read everything."""
        def idle():
            return all(each.lost or not each.wanted or each.idle() for each in self.sessions)

        self.until(idle, what, deadline)
        for each in self.sessions:
            each.ping()
        self.until(idle, what, deadline)

    def until(self, condition, what: str, deadline: float = DEADLINE) -> None:
        ends = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > ends:
                states = "\n".join(session.state() for session in self.sessions)
                raise Stalled(f"{what} expected within {deadline} s\n{states}")
            self.turn()
