"""Servers that end with their test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comqtt import Server  # noqa: E402


@pytest.fixture
def make_server():
    """make_server(**options): a server that is not started and lets nobody in."""
    made: list[Server] = []

    def make(options=None, **more) -> Server:
        more.setdefault("threads", 2)
        more.setdefault("sys_topic_resend_interval", 0)
        made.append(Server(options, **more))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(make_server):
    """A running server that lets everyone do everything."""
    server = make_server()
    server.allow_all()
    server.start()
    return server


@pytest.fixture
def manual(make_server):
    """The same with a clock that only advance() moves."""
    server = make_server(clock="manual", threads=1)
    server.allow_all()
    server.start()
    return server
