/* Version, views, status and reason codes, the error object, topic tests. */
#ifndef COMQTT_BASE_H
#define COMQTT_BASE_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define COMQTT_API __attribute__((visibility("default")))
#else
#define COMQTT_API
#endif

#define COMQTT_VERSION_MAJOR 1
#define COMQTT_VERSION_MINOR 0
#define COMQTT_VERSION_PATCH 0
/** One number to compare: 0xMMmmpp. */
#define COMQTT_VERSION_NUM ((COMQTT_VERSION_MAJOR << 16) | (COMQTT_VERSION_MINOR << 8) | COMQTT_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* Handles. */
typedef struct comqtt_error comqtt_error;     /**< why a call failed */
typedef struct comqtt_options comqtt_options; /**< settings of a server to be made */
typedef struct comqtt_server comqtt_server;   /**< a broker */
typedef struct comqtt_client
    comqtt_client; /**< a connection, an inline client or a stored session; counted */
typedef struct comqtt_packet comqtt_packet;       /**< an MQTT Control Packet; counted */
typedef struct comqtt_pipe comqtt_pipe;           /**< our end of an in-memory connection; counted */
typedef struct comqtt_event comqtt_event;         /**< context of one callback; dies with it */
typedef struct comqtt_deferral comqtt_deferral;   /**< one-shot token behind a PENDING answer */
typedef struct comqtt_selection comqtt_selection; /**< receivers of one message; dies with its callback */
typedef struct comqtt_sink comqtt_sink;           /**< takes stored records; dies with its callback */
typedef struct comqtt_changes comqtt_changes;     /**< a batch of changes for a store, counted */
typedef struct comqtt_load comqtt_load; /**< a request to a store for one client's records, counted */

/** Borrowed text, UTF-8, not terminated. ptr NULL = absent; an empty text has len 0 and ptr not NULL. */
typedef struct comqtt_str {
    const char* ptr;
    size_t len;
} comqtt_str;

/** Borrowed bytes. ptr NULL = absent. */
typedef struct comqtt_bytes {
    const uint8_t* ptr;
    size_t len;
} comqtt_bytes;

/** A user property. */
typedef struct comqtt_pair {
    comqtt_str key;
    comqtt_str value;
} comqtt_pair;

/** Destroys user data. See rule 6 of comqtt.h. */
typedef void (*comqtt_drop_fn)(void* user);
/** Receives one text of a list. Return false to end the list. */
typedef bool (*comqtt_str_fn)(void* user, comqtt_str text);

/** View of a C string; NULL gives an absent text. Since 1.0. */
static inline comqtt_str comqtt_str_of(const char* text) {
    comqtt_str view;
    view.ptr = text;
    view.len = text ? strlen(text) : 0;
    return view;
}

/** View of memory. Since 1.0. */
static inline comqtt_bytes comqtt_bytes_of(const void* data, size_t len) {
    comqtt_bytes view;
    view.ptr = (const uint8_t*)data;
    view.len = len;
    return view;
}

/** Version of the library at run time, as COMQTT_VERSION_NUM. Since 1.0. */
COMQTT_API uint32_t comqtt_version(void);
/** The same as "1.0.0". Static. Since 1.0. */
COMQTT_API const char* comqtt_version_text(void);
/** True when the library was built with a feature: "tcp", "unix", "fd", "pipe", "manual-clock". Unknown names and
 * NULL: false. Since 1.0. */
COMQTT_API bool comqtt_has_feature(const char* name);

/** Outcome of a call. Zero or negative, but for COMQTT_PENDING; never an MQTT reason code. */
typedef int32_t comqtt_status;
enum {
    COMQTT_PENDING =
        1, /**< answer of a store's callback: it completes the request later. No function returns it */
    COMQTT_OK = 0,
    COMQTT_ERR_INVALID_ARGUMENT = -1, /**< NULL, wrong handle, value out of range */
    COMQTT_ERR_NO_MEMORY = -2,
    COMQTT_ERR_NOT_FOUND = -3,
    COMQTT_ERR_EXISTS = -4,
    COMQTT_ERR_STATE = -5,  /**< not possible in this state of the object */
    COMQTT_ERR_CLOSED = -6, /**< the server, connection or pipe is gone */
    COMQTT_ERR_TIMEOUT = -7,
    COMQTT_ERR_UNSUPPORTED = -8, /**< newer record than this library, or feature not built in */
    COMQTT_ERR_ADDRESS_IN_USE = -9,
    COMQTT_ERR_ADDRESS = -10, /**< address cannot be understood or bound */
    COMQTT_ERR_IO = -11,
    COMQTT_ERR_TLS = -12,
    COMQTT_ERR_STORAGE = -13,
    COMQTT_ERR_CONFIG = -14,   /**< unknown key or illegal value; the text names it */
    COMQTT_ERR_PROTOCOL = -15, /**< MQTT rules broken; comqtt_error_reason has the code */
    COMQTT_ERR_DENIED = -16,
    COMQTT_ERR_TOO_LARGE = -17,
    COMQTT_ERR_BUFFER_TOO_SMALL = -18, /**< the needed size was stored */
    COMQTT_ERR_REENTRANT = -19,        /**< this call would wait for the callback that makes it */
    COMQTT_ERR_CALLBACK = -20,         /**< a callback reported failure */
    COMQTT_ERR_CANCELLED = -21,
    COMQTT_ERR_QUEUE_FULL = -22,
    COMQTT_ERR_INLINE_DISABLED = -23, /**< option inline-client is false */
    COMQTT_ERR_INTERNAL = -128
};

/** Identifier of a status, e.g. "COMQTT_ERR_TIMEOUT". Static, never NULL. Since 1.0. */
COMQTT_API const char* comqtt_status_name(comqtt_status status);
/** A status in words. Static, never NULL. Since 1.0. */
COMQTT_API const char* comqtt_status_text(comqtt_status status);

/** MQTT 5.0 reason code (2.4). */
typedef uint8_t comqtt_reason;
enum {
    COMQTT_REASON_SUCCESS = 0x00,
    COMQTT_REASON_NORMAL_DISCONNECTION = 0x00,
    COMQTT_REASON_GRANTED_QOS_0 = 0x00,
    COMQTT_REASON_GRANTED_QOS_1 = 0x01,
    COMQTT_REASON_GRANTED_QOS_2 = 0x02,
    COMQTT_REASON_DISCONNECT_WITH_WILL = 0x04,
    COMQTT_REASON_NO_MATCHING_SUBSCRIBERS = 0x10,
    COMQTT_REASON_NO_SUBSCRIPTION_EXISTED = 0x11,
    COMQTT_REASON_CONTINUE_AUTHENTICATION = 0x18,
    COMQTT_REASON_REAUTHENTICATE = 0x19,
    COMQTT_REASON_UNSPECIFIED_ERROR = 0x80,
    COMQTT_REASON_MALFORMED_PACKET = 0x81,
    COMQTT_REASON_PROTOCOL_ERROR = 0x82,
    COMQTT_REASON_IMPLEMENTATION_SPECIFIC_ERROR = 0x83,
    COMQTT_REASON_UNSUPPORTED_PROTOCOL_VERSION = 0x84,
    COMQTT_REASON_CLIENT_IDENTIFIER_NOT_VALID = 0x85,
    COMQTT_REASON_BAD_USER_NAME_OR_PASSWORD = 0x86,
    COMQTT_REASON_NOT_AUTHORIZED = 0x87,
    COMQTT_REASON_SERVER_UNAVAILABLE = 0x88,
    COMQTT_REASON_SERVER_BUSY = 0x89,
    COMQTT_REASON_BANNED = 0x8A,
    COMQTT_REASON_SERVER_SHUTTING_DOWN = 0x8B,
    COMQTT_REASON_BAD_AUTHENTICATION_METHOD = 0x8C,
    COMQTT_REASON_KEEP_ALIVE_TIMEOUT = 0x8D,
    COMQTT_REASON_SESSION_TAKEN_OVER = 0x8E,
    COMQTT_REASON_TOPIC_FILTER_INVALID = 0x8F,
    COMQTT_REASON_TOPIC_NAME_INVALID = 0x90,
    COMQTT_REASON_PACKET_IDENTIFIER_IN_USE = 0x91,
    COMQTT_REASON_PACKET_IDENTIFIER_NOT_FOUND = 0x92,
    COMQTT_REASON_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
    COMQTT_REASON_TOPIC_ALIAS_INVALID = 0x94,
    COMQTT_REASON_PACKET_TOO_LARGE = 0x95,
    COMQTT_REASON_MESSAGE_RATE_TOO_HIGH = 0x96,
    COMQTT_REASON_QUOTA_EXCEEDED = 0x97,
    COMQTT_REASON_ADMINISTRATIVE_ACTION = 0x98,
    COMQTT_REASON_PAYLOAD_FORMAT_INVALID = 0x99,
    COMQTT_REASON_RETAIN_NOT_SUPPORTED = 0x9A,
    COMQTT_REASON_QOS_NOT_SUPPORTED = 0x9B,
    COMQTT_REASON_USE_ANOTHER_SERVER = 0x9C,
    COMQTT_REASON_SERVER_MOVED = 0x9D,
    COMQTT_REASON_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E,
    COMQTT_REASON_CONNECTION_RATE_EXCEEDED = 0x9F,
    COMQTT_REASON_MAXIMUM_CONNECT_TIME = 0xA0,
    COMQTT_REASON_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1,
    COMQTT_REASON_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2
};

/** Name of a reason code as the specification prints it. Static, never NULL. Since 1.0. */
COMQTT_API const char* comqtt_reason_text(comqtt_reason reason);

/** Status of the failed call; COMQTT_OK for NULL. Since 1.0. */
COMQTT_API comqtt_status comqtt_error_status(const comqtt_error* error);
/** MQTT reason code that goes with COMQTT_ERR_PROTOCOL and COMQTT_ERR_DENIED, else 0. Since 1.0. */
COMQTT_API comqtt_reason comqtt_error_reason(const comqtt_error* error);
/** What went wrong, one sentence; valid until the error is freed. Also terminated by a zero byte. Since 1.0. */
COMQTT_API comqtt_str comqtt_error_message(const comqtt_error* error);
/** Frees an error; NULL is ignored. Since 1.0. */
COMQTT_API void comqtt_error_free(comqtt_error* error);

/** True when `topic` (a topic name) matches `filter`, by the rules of 4.7; for `$share/<group>/<filter>` the inner
 * filter is compared. False for an invalid filter or name. Since 1.0. */
COMQTT_API bool comqtt_topic_matches(comqtt_str filter, comqtt_str topic);
/** True for a name that may be published to: UTF-8, not empty, no wildcard, no U+0000. Since 1.0. */
COMQTT_API bool comqtt_topic_name_is_valid(comqtt_str topic);
/** True for a filter that may be subscribed to, `$share/...` included. Since 1.0. */
COMQTT_API bool comqtt_topic_filter_is_valid(comqtt_str filter);

#ifdef __cplusplus
}
#endif
#endif
