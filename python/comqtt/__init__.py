"""comqtt: an MQTT 3.1, 3.1.1 and 5.0 broker inside a Python process.

    from comqtt import Server

    with Server() as server:
        server.allow_loopback()
        server.listen_tcp(port=1883)
        server.wait()
"""

from comqtt import packets
from comqtt._backend import _comqtt
from comqtt.constants import (ALLOW, DENY, FAIL, IGNORE, NEXT, PENDING, PROCEED, REJECT, Access, Answer, ChangeKind,
                              PacketType, Protocol, Reason, State, Status, StoredState)
from comqtt.hooks import HOOK_EVENTS, Hook
from comqtt.server import Listener, Server
from comqtt.subscription import Subscription

Change = _comqtt.Change
Changes = _comqtt.Changes
Client = _comqtt.Client
Deferral = _comqtt.Deferral
Error = _comqtt.Error
Event = _comqtt.Event
Load = _comqtt.Load
Packet = _comqtt.Packet
Pipe = _comqtt.Pipe
Selection = _comqtt.Selection
Sink = _comqtt.Sink
StoredClient = _comqtt.StoredClient
StoredMessage = _comqtt.StoredMessage
StoredSubscription = _comqtt.StoredSubscription
TopicFilter = _comqtt.TopicFilter
has_feature = _comqtt.has_feature
reason_text = _comqtt.reason_text
topic_filter_is_valid = _comqtt.topic_filter_is_valid
topic_matches = _comqtt.topic_matches
topic_name_is_valid = _comqtt.topic_name_is_valid

__version__: str = _comqtt.version()

__all__ = [
    "ALLOW", "DENY", "FAIL", "HOOK_EVENTS", "IGNORE", "NEXT", "PENDING", "PROCEED", "REJECT", "Access", "Answer",
    "Change", "ChangeKind", "Changes", "Client", "Deferral", "Error", "Event", "Hook", "Listener", "Load", "Packet",
    "PacketType", "Pipe", "Protocol", "Reason", "Selection", "Server", "Sink", "State", "Status", "StoredClient",
    "StoredMessage", "StoredState", "StoredSubscription", "Subscription", "TopicFilter", "has_feature", "packets",
    "reason_text", "topic_filter_is_valid", "topic_matches", "topic_name_is_valid",
]
