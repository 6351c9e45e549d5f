"""The numbers of comqtt.h under their names. Functions take and give plain numbers, which compare equal to these."""

from __future__ import annotations

from enum import IntEnum


class Answer(IntEnum):
    """What a hook answers. Questions (on_connect_authenticate, on_acl_check): NEXT (the same as None), ALLOW, DENY,
    PENDING. Events that can stop something: PROCEED (the same as None), REJECT, IGNORE, FAIL, PENDING."""

    NEXT = 0
    ALLOW = 1
    DENY = 2
    PENDING = 3
    PROCEED = 16
    REJECT = 17
    IGNORE = 18
    FAIL = 19


NEXT = Answer.NEXT
ALLOW = Answer.ALLOW
DENY = Answer.DENY
PENDING = Answer.PENDING
PROCEED = Answer.PROCEED
REJECT = Answer.REJECT
IGNORE = Answer.IGNORE
FAIL = Answer.FAIL


class Access(IntEnum):
    """What on_acl_check asks about."""

    READ = 1
    WRITE = 2


class State(IntEnum):
    """Where a server stands in its life."""

    NEW = 0
    STARTING = 1
    RUNNING = 2
    STOPPING = 3
    STOPPED = 4


class ChangeKind(IntEnum):
    """What happened to the stored state; behind each what such a Change has beside `client_id`."""

    SESSION_SAVED = 1  # session: new, or replaces what was stored of it but its messages
    SESSION_REMOVED = 2  # the session with its subscriptions and messages
    SUBSCRIPTION_SAVED = 3  # subscription: new, or replaces the one with the same filter
    SUBSCRIPTION_REMOVED = 4  # text: the filter
    MESSAGE_QUEUED = 5  # position, packet_id (0 = not sent), message_key, message
    MESSAGE_SENT = 6  # position, packet_id
    MESSAGE_RELEASED = 7  # position: PUBREC came, the packet id alone is needed now
    MESSAGE_REMOVED = 8  # position: acknowledged, expired or dropped
    RECEIVED_ADDED = 9  # packet_id: inbound QoS 2, until PUBREL
    RECEIVED_REMOVED = 10  # packet_id
    RETAINED_SAVED = 11  # message: replaces what its topic had; no client_id
    RETAINED_REMOVED = 12  # text: the topic; no client_id
    CLIENT_BLOCKED = 13
    CLIENT_UNBLOCKED = 14


class StoredState(IntEnum):
    """Where a stored message stands."""

    QUEUED = 0
    SENT = 1
    RECEIVED = 2  # inbound QoS 2 id that waits for PUBREL
    RELEASED = 3  # PUBREL sent, waits for PUBCOMP


class PacketType(IntEnum):
    """MQTT Control Packet type (2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Protocol(IntEnum):
    """Protocol version, as in CONNECT."""

    MQTT_3_1 = 3
    MQTT_3_1_1 = 4
    MQTT_5 = 5


class Status(IntEnum):
    """Error.status: why a call failed; also what a store answers. PENDING is the same answer as comqtt.PENDING."""

    PENDING = 1
    OK = 0
    INVALID_ARGUMENT = -1
    NO_MEMORY = -2
    NOT_FOUND = -3
    EXISTS = -4
    STATE = -5
    CLOSED = -6
    TIMEOUT = -7
    UNSUPPORTED = -8
    ADDRESS_IN_USE = -9
    ADDRESS = -10
    IO = -11
    TLS = -12
    STORAGE = -13
    CONFIG = -14
    PROTOCOL = -15
    DENIED = -16
    TOO_LARGE = -17
    BUFFER_TOO_SMALL = -18
    REENTRANT = -19
    CALLBACK = -20
    CANCELLED = -21
    QUEUE_FULL = -22
    INLINE_DISABLED = -23
    INTERNAL = -128


class Reason(IntEnum):
    """MQTT 5.0 reason code (2.4)."""

    SUCCESS = 0x00
    NORMAL_DISCONNECTION = 0x00
    GRANTED_QOS_0 = 0x00
    GRANTED_QOS_1 = 0x01
    GRANTED_QOS_2 = 0x02
    DISCONNECT_WITH_WILL = 0x04
    NO_MATCHING_SUBSCRIBERS = 0x10
    NO_SUBSCRIPTION_EXISTED = 0x11
    CONTINUE_AUTHENTICATION = 0x18
    REAUTHENTICATE = 0x19
    UNSPECIFIED_ERROR = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83
    UNSUPPORTED_PROTOCOL_VERSION = 0x84
    CLIENT_IDENTIFIER_NOT_VALID = 0x85
    BAD_USER_NAME_OR_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_BUSY = 0x89
    BANNED = 0x8A
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_IDENTIFIER_IN_USE = 0x91
    PACKET_IDENTIFIER_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    MESSAGE_RATE_TOO_HIGH = 0x96
    QUOTA_EXCEEDED = 0x97
    ADMINISTRATIVE_ACTION = 0x98
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    QOS_NOT_SUPPORTED = 0x9B
    USE_ANOTHER_SERVER = 0x9C
    SERVER_MOVED = 0x9D
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    CONNECTION_RATE_EXCEEDED = 0x9F
    MAXIMUM_CONNECT_TIME = 0xA0
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2
