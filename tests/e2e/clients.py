"""Clients of one broker, and names that nothing else uses."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from broker import Broker
from mqtt_wire import WireClient

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Clients:
    """Makes clients of one broker and closes them at the end of a test."""

    def __init__(self, broker: Broker):
        self.broker = broker
        self.port = broker.port
        self._open: list[WireClient] = []

    def open(self, version: int = 5, **options) -> WireClient:
        """A TCP connection that has not sent anything."""
        client = WireClient(self.port, version, **options)
        self._open.append(client)
        return client

    def connect(self, client_id: str = "", version: int = 5, receive_buffer=None, **fields) -> WireClient:
        """A client whose CONNECT was accepted; the CONNACK is `client.connack`."""
        client = self.open(version, receive_buffer=receive_buffer)
        if not client_id and version < 5:
            client_id = unique_name("c")
        client.connack = client.connect(client_id, **fields)
        return client

    def close(self) -> None:
        for client in self._open:
            client.socket.close()


_counter = itertools.count()


def unique_name(prefix: str) -> str:
    """A topic or client id that nothing else of this run uses (at most 23 characters, letters and digits)."""
    return f"{prefix}{os.getpid():x}x{next(_counter)}"
