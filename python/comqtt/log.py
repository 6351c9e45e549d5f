"""The server's log in Python's logging. Threads of the server only append to a ring; a thread of Python empties it,
so that logging (which may wait for locks, files or the interpreter) never holds a client up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Union

from comqtt._backend import _comqtt

LogFunction = Callable[[int, str, str], None]
"""Gets (level of `logging`, component, message)."""

LEVELS = {"debug": 0, "info": 1, "warn": 2, "warning": 2, "error": 3, "off": 4}
_PYTHON_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)


class LogPump:
    """Moves lines from a server's ring to where they belong until the ring is closed."""

    def __init__(self, target: Union[logging.Logger, LogFunction]):
        self.ring = _comqtt.LogRing()
        write = _logger_writer(target) if isinstance(target, logging.Logger) else target
        self._thread = threading.Thread(target=_pump, args=(self.ring, write), name="comqtt-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns when every line is written; at once on the pump's own thread."""
        self.ring.close()
        if threading.current_thread() is not self._thread:
            self._thread.join()


def _logger_writer(logger: logging.Logger) -> LogFunction:
    def write(level: int, component: str, message: str) -> None:
        logger.getChild(component).log(level, "%s", message)
    return write


def _pump(ring: _comqtt.LogRing, write: LogFunction) -> None:
    while lines := ring.take():
        for level, component, message in lines:
            try:
                write(_PYTHON_LEVELS[level], component, message)
            except Exception:
                logging.getLogger(__name__).exception("the log function failed")
