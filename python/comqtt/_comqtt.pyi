"""comqtt.h for Python; use the package comqtt."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Optional, Union

from typing_extensions import Buffer

_Bytes = Union[Buffer, str, None]
_Pairs = Iterable[tuple[str, str]]

ANSWERS: dict[str, int]
HOOK_EVENTS: tuple[str, ...]

def version() -> str: ...
def has_feature(name: str) -> bool: ...
def reason_text(reason: int) -> str: ...
def topic_matches(filter: str, topic: str) -> bool: ...
def topic_name_is_valid(topic: str) -> bool: ...
def topic_filter_is_valid(filter: str) -> bool: ...

class Error(Exception):
    """A call of the broker library failed."""

    status: int
    status_name: str
    reason: int

class LogRing:
    def __init__(self) -> None: ...
    def take(self) -> list[tuple[int, str, str]]: ...
    def close(self) -> None: ...

class TopicFilter:
    """One entry of SUBSCRIBE and UNSUBSCRIBE, or a subscription of a session."""

    filter: str
    qos: int
    no_local: bool
    retain_as_published: bool
    retain_handling: int
    @property
    def identifier(self) -> int:
        """Subscription Identifier of a session's subscription, 0 = none; in SUBSCRIBE a property of the packet."""
    def __init__(self, filter: str, qos: int = 0, no_local: bool = False, retain_as_published: bool = False,
                 retain_handling: int = 0) -> None: ...

class Packet:
    """An MQTT Control Packet. Fields are copied out when they are read; those that a packet of this type does not
    have are zero, empty or None. Setting one raises Error where the packet is not to be changed."""

    version: int
    qos: int
    dup: bool
    retain: bool
    packet_id: int
    reason: int
    session_present: bool
    client_id: str
    username: Optional[str]
    keep_alive: int
    clean_start: bool
    topic: str
    def __init__(self, type: int, version: int = 5) -> None: ...
    @property
    def type(self) -> int: ...
    @property
    def origin(self) -> str:
        """Client id of the publisher."""
    @property
    def created_ms(self) -> int:
        """When the server took the message in, unix milliseconds of its clock; 0 = unknown."""
    @property
    def payload(self) -> bytes: ...
    @payload.setter
    def payload(self, value: _Bytes) -> None: ...
    @property
    def password(self) -> Optional[bytes]: ...
    @password.setter
    def password(self, value: _Bytes) -> None: ...
    @property
    def reason_codes(self) -> bytes: ...
    @reason_codes.setter
    def reason_codes(self, value: _Bytes) -> None: ...
    @property
    def will(self) -> Optional[tuple[str, bytes, int, bool]]:
        """(topic, payload, qos, retain)"""
    @will.setter
    def will(self, value: Optional[tuple[str, _Bytes, int, bool]]) -> None: ...
    @property
    def filters(self) -> list[TopicFilter]: ...
    @filters.setter
    def filters(self, value: Iterable[Union[TopicFilter, str, tuple[str, int]]]) -> None: ...
    @property
    def properties(self) -> dict[str, Any]:
        """By the specification's names in snake case; user properties apart. A copy: assign it to change it."""
    @properties.setter
    def properties(self, value: Mapping[str, Any]) -> None: ...
    @property
    def user_properties(self) -> list[tuple[str, str]]: ...
    @user_properties.setter
    def user_properties(self, value: _Pairs) -> None: ...
    @property
    def will_properties(self) -> dict[str, Any]: ...
    @will_properties.setter
    def will_properties(self, value: Mapping[str, Any]) -> None: ...
    @property
    def will_user_properties(self) -> list[tuple[str, str]]: ...
    @will_user_properties.setter
    def will_user_properties(self, value: _Pairs) -> None: ...
    def set_property(self, name: str, value: Any) -> None:
        """Sets one property; None takes it out."""
    def clone(self) -> Packet:
        """An editable copy."""
    def encode(self) -> bytes: ...
    def validate(self, *, from_server: bool = False) -> None:
        """Raises Error with the reason code and the violated statement."""
    @staticmethod
    def decode(data: _Bytes, version: int = 5, *, from_server: bool = False) -> Optional[tuple[Packet, int]]:
        """(packet, bytes used), or None while the packet is not complete."""

class Client:
    """A connection, a stored session or an inline client. May be kept; identity never changes."""

    keep_alive: int
    @property
    def id(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def remote(self) -> str: ...
    @property
    def listener(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def clean_start(self) -> bool: ...
    @property
    def is_inline(self) -> bool: ...
    @property
    def connected(self) -> bool: ...
    @property
    def connected_ms(self) -> int: ...
    @property
    def disconnected_ms(self) -> int: ...
    @property
    def session_expiry_s(self) -> int: ...
    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_out(self) -> int: ...
    @property
    def inflight_count(self) -> int: ...
    @property
    def queued_count(self) -> int: ...
    @property
    def will(self) -> Optional[Packet]: ...
    def disconnect(self, reason: int = 0x98) -> None: ...
    def expire(self) -> None:
        """Ends the connection and the session."""
    def send(self, packet: Packet) -> None:
        """Sends to this client only, past ACL and routing."""
    def subscriptions(self) -> list[TopicFilter]: ...

class Deferral:
    """The token behind a PENDING answer: complete it once, from any thread. Given up, it denies."""

    def complete(self, answer: Optional[int], reason: int = 0, text: str = "", *, delay_ms: int = 0) -> bool:
        """False when nobody waits any more."""
    def on_cancel(self, callback: Callable[[], Any]) -> None: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def client(self) -> Optional[Client]: ...
    @property
    def packet(self) -> Optional[Packet]:
        """The packet in question; to be edited, where the event's is, until the token is completed."""

class Event:
    """Context of one callback; afterwards it raises Error."""

    @property
    def name(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def server(self) -> Optional[Server]: ...
    def set_reason(self, reason: int, text: str = "") -> None:
        """For the answers DENY and FAIL."""
    def set_for_all_topics(self) -> None:
        """In on_acl_check: the answer holds for every topic of this client with this access."""
    def defer(self) -> Deferral:
        """Then answer PENDING. Raises Error when the event cannot wait."""

class Selection:
    """Receivers of one message, for the length of the callback."""

    def receivers(self) -> list[dict[str, Any]]:
        """dicts of client_id, filter, shared, chosen, qos"""
    def choose(self, index: int, chosen: bool = True) -> None: ...
    def add(self, client_id: str, qos: int = 0) -> None:
        """One more receiver, subscribed or not; a client without a session is passed over."""

class StoredClient:
    """A session in a store. Attributes may be given as keywords."""

    id: str
    username: str
    remote: str
    listener: str
    version: int
    clean_start: bool
    session_expiry_s: int
    disconnected_ms: int
    """0 = was connected when stored"""
    will: Optional[Packet]
    """will not yet sent"""
    will_due_ms: int
    """0 = its delay counts from now"""
    will_delay_s: int
    queued_messages: int
    """what load_messages will hand over: not sent yet"""
    queued_bytes: int
    inflight_messages: int
    """sent, or inbound QoS 2 ids that wait for PUBREL"""
    last_position: int
    next_expiry_ms: int
    def __init__(self, **fields: Any) -> None: ...

class StoredSubscription:
    """A subscription of a session in a store. Attributes may be given as keywords."""

    client_id: str
    filter: str
    qos: int
    no_local: bool
    retain_as_published: bool
    retain_handling: int
    identifier: int
    def __init__(self, **fields: Any) -> None: ...

class StoredMessage:
    """A message of a session, or a retained one (without `client_id`), in a store. Attributes may be given as
    keywords."""

    client_id: str
    origin: str
    """client id of the publisher"""
    share: str
    """the shared subscription it came through, "" = none"""
    packet: Packet
    created_ms: int
    sent_ms: int
    state: int
    """a StoredState"""
    position: int
    """as in Change; 0 = after the last one"""
    packet_id: int
    """that of `packet`; setting it puts a copy with the new id in its place"""
    def __init__(self, **fields: Any) -> None: ...

class Change:
    """One change of the stored state; ChangeKind says what a kind has, the rest is 0, "" or None."""

    @property
    def kind(self) -> int: ...
    @property
    def client_id(self) -> str: ...
    @property
    def position(self) -> int:
        """Of a message in its session: grows with each, also over restarts."""
    @property
    def message_key(self) -> int:
        """Equal for all sessions that hold the message; unique while the server runs."""
    @property
    def packet_id(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def session(self) -> Optional[StoredClient]: ...
    @property
    def subscription(self) -> Optional[StoredSubscription]: ...
    @property
    def message(self) -> Optional[StoredMessage]: ...

class Changes:
    """A batch of changes, in the order they happened. May be kept and completed later, from any thread."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Change: ...
    def __iter__(self) -> Iterator[Change]: ...
    @property
    def thread(self) -> int:
        """Number of the server's thread that made it; batches of one thread come in order."""
    def complete(self, status: int = 0, text: str = "") -> bool:
        """After the answer PENDING: stored, or Status.QUEUE_FULL (publishers get 0x97) or another error (0x83). False
        when the server is gone."""
    def report(self, status: int, text: str = "") -> bool:
        """It cannot be stored for now and is tried again: new messages are refused until a batch is stored."""

class Sink:
    """Takes stored records when the server starts; dies with its callback."""

    def add_client(self, client: StoredClient) -> None: ...
    def add_subscription(self, subscription: StoredSubscription) -> None: ...
    def add_message(self, message: StoredMessage) -> None: ...
    def add_blocked(self, client_id: str) -> None:
        """A client id that may not connect; in stored_clients."""

class Load:
    """A request for the records of one client. May be kept, filled and completed later."""

    @property
    def client_id(self) -> str: ...
    @property
    def session(self) -> bool:
        """load_session: client and subscriptions too."""
    @property
    def after(self) -> int:
        """0 = what is in flight both ways, then the queue; otherwise queued messages with a greater position."""
    @property
    def max_messages(self) -> int:
        """Queued ones to hand over at most."""
    @property
    def max_bytes(self) -> int: ...
    def add_client(self, client: StoredClient) -> None: ...
    def add_subscription(self, subscription: StoredSubscription) -> None: ...
    def add_message(self, message: StoredMessage) -> None:
        """In ascending position."""
    def complete(self, status: int = 0, text: str = "") -> bool:
        """After the answer PENDING: OK, Status.NOT_FOUND or an error. False when the server is gone."""

class Pipe:
    """The client's end of an in-memory connection."""

    def write(self, data: _Bytes) -> None: ...
    def read(self, size: int = 65536, timeout: Optional[float] = None) -> bytes:
        """What the server has sent; nothing = it has closed. TimeoutError after `timeout` seconds."""
    def close(self) -> None: ...
    def __enter__(self) -> Pipe: ...
    def __exit__(self, type: Optional[type[BaseException]], value: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None: ...

class Server:
    def __init__(self, options: Sequence[tuple[str, str]], log: Optional[LogRing], log_level: int) -> None: ...
    def start(self) -> None:
        """Returns when the server accepts."""
    def begin_stop(self, drain_ms: int = 0) -> None: ...
    def wait(self, timeout: Optional[float] = None) -> bool:
        """True when the server has stopped; False after `timeout` seconds."""
    def close(self) -> None: ...
    def advance(self, ms: int) -> None:
        """Moves the clock of a server made with clock="manual"; returns when all that fell due has happened."""
    def check_ready(self) -> None:
        """Raises Error with Status.STATE when not running, with STORAGE and the reason while a store cannot commit."""
    def option(self, key: str) -> str:
        """The value in force."""
    @staticmethod
    def option_table() -> list[tuple[str, str, str]]:
        """(key, default, text) of every option there is."""
    @property
    def now_ms(self) -> int:
        """The server's clock, unix milliseconds."""
    @property
    def state(self) -> int: ...
    def listen(self, kind: int, address: str, id: str, backlog: int = 0) -> None: ...
    def listen_fd(self, kind: int, fd: int, id: str) -> None:
        """An open listening socket (kind 1 = TCP, 2 = unix); the server owns it from then on."""
    def unlisten(self, id: str, *, disconnect_clients: bool = False) -> None: ...
    def listener_table(self) -> list[tuple[str, str, str, int, int]]: ...
    def connect_pipe(self, listener: str = "pipe", remote: str = "pipe") -> Pipe:
        """An in-memory connection: write what a client would send."""
    def add_hook_functions(self, functions: dict[str, Callable[..., Any]], id: str) -> int: ...
    def remove_hook(self, hook: int) -> None:
        """Returns after the hook's running callbacks; at once inside one."""
    def allow_all(self) -> int:
        """Everyone may do everything."""
    def allow_loopback(self) -> int:
        """Clients of this machine may do everything."""
    def add_debug_hook(self, *, show_packet_data: bool = False, show_pings: bool = False,
                       show_passwords: bool = False) -> int:
        """Logs what goes on, at level debug."""
    def clear_acl_cache(self) -> None: ...
    def publish_payload(self, topic: str, payload: _Bytes, qos: int, retain: bool) -> None: ...
    def publish_packet(self, packet: Packet) -> None: ...
    def subscribe_callback(self, filter: str, callback: Callable[[Packet], Any], qos: int,
                           identifier: int) -> int: ...
    def unsubscribe_token(self, token: int) -> None: ...
    def inline_client(self, id: str) -> Client:
        """Another client inside the process, for inject; gone with its last reference."""
    def inject(self, client: Client, packet: Packet) -> None:
        """Processes a packet as if the client had sent it."""
    def client(self, id: str) -> Optional[Client]: ...
    def clients(self) -> list[Client]: ...
    def client_count(self, *, connected_only: bool = False) -> int: ...
    def block(self, id: str) -> None:
        """Disconnects a client id and refuses it from now on."""
    def unblock(self, id: str) -> None: ...
    def blocked(self) -> list[str]: ...
    def retained(self, filter: str = "#") -> list[Packet]: ...
    def clear_retained(self, topic: str) -> None: ...
    def metrics(self) -> dict[str, int]: ...
