"""Subscriptions inside the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comqtt.server import Server


class Subscription:
    """What Server.subscribe gives: ends by unsubscribe() or at the end of a `with` block."""

    def __init__(self, server: Server, topic_filter: str, token: int):
        self.filter = topic_filter
        self.token = token
        self._server = server

    def unsubscribe(self) -> None:
        """When it returns (outside callbacks) the callback is not called any more."""
        self._server.unsubscribe(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *exception: object) -> None:
        self.unsubscribe()
