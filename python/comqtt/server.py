"""Server: a broker in this process."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Optional, Union

from comqtt import hooks, log as log_module, options as options_module, packets
from comqtt._backend import _comqtt
from comqtt.constants import State, Status
from comqtt.subscription import Subscription

_TCP, _UNIX, _PIPE = 1, 2, 3


class Listener(NamedTuple):
    """What is known of a listener; `address` and `port` as bound."""

    id: str
    protocol: str
    address: str
    port: int
    connections: int


class Server(_comqtt.Server):
    """A broker. Everything is denied until a hook allows it.

    `options` and further keywords are those of the YAML file: nested or with dotted keys, `_` for `-` as you like.
    `log` is a logging.Logger (default: "comqtt"), a function (level, component, message), or False for none.
    A `with` block starts the server and closes it; without one call start() and close().
    """

    def __init__(self, options: Optional[Mapping[str, Any]] = None, *,
                 log: Union[logging.Logger, log_module.LogFunction, None, bool] = None, log_level: str = "info",
                 **more_options: Any):
        if _open_servers.over:
            raise RuntimeError("the interpreter is ending")
        if log_level not in log_module.LEVELS:
            raise ValueError(f"log_level is one of {', '.join(log_module.LEVELS)}, not {log_level}")
        texts = {**options_module.flatten(options or {}), **options_module.flatten(more_options)}
        target = logging.getLogger("comqtt") if log is None or log is True else log
        self._pump = log_module.LogPump(target) if target is not False else None
        try:
            super().__init__(list(texts.items()), self._pump.ring if self._pump else None,
                             log_module.LEVELS[log_level])
        except BaseException:
            if self._pump:
                self._pump.close()
            raise
        _open_servers.add(self)

    # Life.

    def stop(self, drain: float = 0.0, *, wait: bool = True) -> None:
        """Stops; clients get up to `drain` seconds to take their DISCONNECT. In a callback it returns at once."""
        self.begin_stop(int(drain * 1000))
        if not wait:
            return
        try:
            self.wait()
        except _comqtt.Error as error:
            if error.status not in (Status.REENTRANT, Status.STATE):
                raise

    def run(self) -> None:
        """Starts, and returns when something has stopped the server; Ctrl-C does."""
        try:
            if self.state == State.NEW:
                self.start()
            self.wait()
        except KeyboardInterrupt:
            self.stop()

    def close(self) -> None:
        """Stops, waits for the last callback and frees everything; legal again. Every later call raises Error."""
        super().close()
        if self._pump:
            self._pump.close()

    def __enter__(self) -> Server:
        if self.state == State.NEW:
            self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def ready(self) -> bool:
        """True when running and the stores commit; check_ready() says why not."""
        try:
            self.check_ready()
        except _comqtt.Error:
            return False
        return True

    # Listeners, before or after start.

    def listen_tcp(self, host: str = "127.0.0.1", port: int = 0, *, id: Optional[str] = None,
                   backlog: int = 0) -> str:
        """Adds a listener and gives its id; port 0 = a free one, see `port`."""
        address = f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
        return self._listen(_TCP, address, id or self._free_id("tcp"), backlog)

    def listen_unix(self, path: str, *, id: Optional[str] = None, backlog: int = 0) -> str:
        return self._listen(_UNIX, str(path), id or self._free_id("unix"), backlog)

    def listen_pipe(self, id: str = "pipe") -> str:
        """For connect_pipe, which makes one itself if there is none."""
        return self._listen(_PIPE, "", id, 0)

    def listeners(self) -> list[Listener]:
        return [Listener(*row) for row in self.listener_table()]

    @property
    def port(self) -> int:
        """The bound port of the first TCP listener; 0 when there is none or before start."""
        return next((each.port for each in self.listeners() if each.protocol == "tcp"), 0)

    def _listen(self, kind: int, address: str, id: str, backlog: int) -> str:
        self.listen(kind, address, id, backlog)
        return id

    def _free_id(self, protocol: str) -> str:
        taken = {each.id for each in self.listeners()}
        names = itertools.chain([protocol], (f"{protocol}-{n}" for n in itertools.count(2)))
        return next(name for name in names if name not in taken)

    # Hooks.

    def add_hook(self, hook: Union[hooks.Hook, hooks.HookFunctions, object, None] = None, *,
                 id: Optional[str] = None, **functions: Callable[..., Any]) -> int:
        """Adds a Hook, a dict {"on_publish": function, ...}, or the functions as keywords; gives the hook's number
        for remove_hook."""
        if hook is None:
            hook = functions
        elif functions:
            raise TypeError("either a hook or functions")
        if isinstance(hook, type):
            raise TypeError(f"a hook is an object: {hook.__name__}() instead of {hook.__name__}")
        found = hooks.collect(hook)
        if not found:
            raise TypeError(f"{hook!r} has none of the functions of a hook, such as on_publish")
        init = None if isinstance(hook, Mapping) else getattr(hook, "init", None)
        if init:
            init(self)
        name = id or getattr(hook, "id", None) or (type(hook).__name__ if init or not isinstance(hook, Mapping)
                                                   else "python")
        return self.add_hook_functions(found, name)

    # The broker as its own client.

    def publish(self, topic: str, payload: packets.Payload = b"", qos: int = 0, retain: bool = False,
                properties: packets.Properties = None, user_properties: packets.UserProperties = None) -> None:
        """Returns when the message is on its way. The ACL is not asked; $SYS topics are allowed."""
        if properties or user_properties:
            self.publish_packet(packets.publish(topic, payload, qos=qos, retain=retain, properties=properties,
                                                user_properties=user_properties))
        else:
            self.publish_payload(topic, payload, qos, retain)

    def subscribe(self, filter: str, callback: Callable[[_comqtt.Packet], Any], qos: int = 0, *,
                  identifier: int = 0) -> Subscription:
        """Calls `callback(packet)` on a thread of the server for every message; retained ones come first."""
        return Subscription(self, filter, self.subscribe_callback(filter, callback, qos, identifier))

    def unsubscribe(self, subscription: Subscription) -> None:
        self.unsubscribe_token(subscription.token)

    # Clients.

    def disconnect(self, client_id: str, reason: int = 0x98) -> bool:
        """Ends the connection of a client; False when there is none of that id."""
        client = self.client(client_id)
        if client is None or not client.connected:
            return False
        try:
            client.disconnect(reason)
        except _comqtt.Error as error:
            if error.status != Status.CLOSED:
                raise
            return False
        return True


class _OpenServers:
    """Servers to be closed before the interpreter goes, as their threads may be inside callbacks."""

    def __init__(self) -> None:
        self.over = False
        self._servers: weakref.WeakSet[Server] = weakref.WeakSet()
        atexit.register(self.close_all)
        os.register_at_fork(after_in_child=self._servers.clear)  # a child has none of their threads

    def add(self, server: Server) -> None:
        self._servers.add(server)

    def close_all(self) -> None:
        self.over = True
        for server in list(self._servers):
            server.close()


_open_servers = _OpenServers()
