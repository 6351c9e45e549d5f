"""Hooks: Python functions that see, decide and change what the server does.

Every function gets the event first. It runs on a thread of the server and must not block: answer PENDING instead.
A question that nobody answers with ALLOW is denied.

A hook that fails lets nothing through: after an exception, or an answer that does not exist, a question is denied,
on_connect, on_auth_packet and on_publish count as FAIL, on_subscribe refuses its filters, on_packet_read refuses what it
was shown and on_will keeps the will back. It is logged with its place, the hook and the client, and counted in the metric
hook_failures. With `Server({"hooks.on-failure": "proceed"})` a hook that fails counts as not asked instead.

| event | arguments after `event` | answers |
|---|---|---|
| on_started, on_stopped | | |
| on_connect | client, packet (edit) | PROCEED, REJECT, FAIL, PENDING |
| on_connect_authenticate | client, packet | ALLOW, DENY, NEXT, PENDING |
| on_acl_check | client, topic, access (1 = read, 2 = write) | ALLOW, DENY, NEXT, PENDING |
| on_session_establish, on_session_established | client, packet | |
| on_disconnect | client, info: dict of reason, text, by_client, clean, expire | |
| on_auth_packet | client, packet (edit) | PROCEED, FAIL, PENDING |
| on_packet_read | client, packet (edit) | PROCEED, REJECT |
| on_packet_encode | client, packet (edit) | |
| on_packet_sent | client, packet, wire: bytes | |
| on_packet_processed | client, packet, reason | |
| on_subscribe, on_unsubscribe | client, packet (edit) | |
| on_subscribed, on_unsubscribed | client, packet, reason_codes: bytes, counts: list | |
| on_select_subscribers | selection, packet | |
| on_published_with_shared_filters | packet, selection | |
| on_publish | client, packet (edit) | PROCEED, REJECT, IGNORE, FAIL, PENDING |
| on_published, on_publish_dropped | client, packet | |
| on_retain_message | client, packet, change: 1, -1 or 0 | |
| on_retain_published | client, packet | |
| on_qos_publish | client, packet, sent_ms, resends | |
| on_qos_complete, on_qos_dropped, on_packet_id_exhausted | client, packet | |
| on_will | client, packet (edit) | PROCEED, REJECT |
| on_will_sent | client, packet | |
| on_client_expired | client | |
| on_retained_expired | topic | |
| on_sys_info_tick | metrics: dict | |
| store_changes | changes | OK, PENDING or an error: see below |
| load_session, load_messages | load | OK, NOT_FOUND, PENDING or an error |
| stored_clients, stored_subscriptions | sink | OK, NOT_FOUND or an error |
| stored_inflight_messages, stored_retained_messages | sink | |
| stored_client_by_id, stored_subscriptions_by_client, stored_inflight_by_client | client_id, sink | |
| stored_retained_by_topic | topic, sink | |

A store is a hook with the last ones. `store_changes` gets everything that changed of the stored state, in batches; what
a batch stands for is acknowledged when it is stored: None or True says so, PENDING that `changes.complete()` will, from
any thread; an exception, False or a Status says that it was not stored. The batch may be kept; the last reference gone
without an answer is "not stored". When the server starts the stored_... functions give the state back through
`sink.add_client(StoredClient(...))` and its like; load_messages is asked for the messages of clients that were given
with `queued_messages` or `inflight_messages` above 0. False means NOT_FOUND there.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Optional, Union

from comqtt._backend import _comqtt

HOOK_EVENTS: tuple[str, ...] = _comqtt.HOOK_EVENTS

HookFunctions = Mapping[str, Callable[..., Any]]


class Hook:
    """Base of hooks: derive, and define the methods that are wanted, named like the events. Any object with such
    methods will do.

    `init(self, server)` runs when the hook is added, and keeps it out by raising; `stop(self)` is the last call.
    """

    id: Optional[str] = None


def collect(hook: Union[Hook, HookFunctions, object]) -> dict[str, Callable[..., Any]]:
    """The functions of a hook by event. ValueError for a name that is no event, TypeError for `async def`."""
    if isinstance(hook, Mapping):
        found = dict(hook)
    else:
        names = [name for name in dir(hook) if name.startswith("on_") or name == "stop" or name in HOOK_EVENTS]
        found = {name: getattr(hook, name) for name in names}
    for name, function in found.items():
        _check(name, function)
    return found


def _check(name: str, function: Any) -> None:
    if name != "stop" and name not in HOOK_EVENTS:
        near = difflib.get_close_matches(name, HOOK_EVENTS, 1)
        raise ValueError(f"there is no hook event {name}" + (f"; do you mean {near[0]}?" if near else ""))
    if not callable(function):
        raise TypeError(f"{name} is not callable")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} is a coroutine function: hooks are plain functions that may answer PENDING")
