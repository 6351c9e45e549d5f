/* Packets: accessors and builders for every field and property of every MQTT Control Packet.
 *
 * A packet is counted. A new, cloned or decoded packet is editable and belongs to one thread at a time until it is
 * given away; a packet that a callback may edit says so in hooks.h; every other packet is frozen: its setters answer
 * COMQTT_ERR_STATE, and any number of threads may read it. (A packet retained in an event that lets it be edited may
 * change in the events that follow; comqtt_packet_clone keeps it as it is.) Values are checked by comqtt_packet_validate and where a
 * packet is used, not by the setters, which only refuse what the field cannot hold. Getters of a field that a packet
 * of that type does not have give zero or an absent view. */
#ifndef COMQTT_PACKET_H
#define COMQTT_PACKET_H
#ifndef COMQTT_H_INSIDE
#error "Include <comqtt.h> instead."
#endif

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** MQTT Control Packet type (2.1.2). */
typedef uint8_t comqtt_packet_kind;
enum {
    COMQTT_CONNECT = 1,
    COMQTT_CONNACK = 2,
    COMQTT_PUBLISH = 3,
    COMQTT_PUBACK = 4,
    COMQTT_PUBREC = 5,
    COMQTT_PUBREL = 6,
    COMQTT_PUBCOMP = 7,
    COMQTT_SUBSCRIBE = 8,
    COMQTT_SUBACK = 9,
    COMQTT_UNSUBSCRIBE = 10,
    COMQTT_UNSUBACK = 11,
    COMQTT_PINGREQ = 12,
    COMQTT_PINGRESP = 13,
    COMQTT_DISCONNECT = 14,
    COMQTT_AUTH = 15
};

/** Protocol version, as in CONNECT. */
typedef uint8_t comqtt_protocol;
enum { COMQTT_MQTT_3_1 = 3, COMQTT_MQTT_3_1_1 = 4, COMQTT_MQTT_5 = 5 };

/** Who sends a packet; the rules differ. */
typedef int32_t comqtt_sender;
enum { COMQTT_FROM_CLIENT = 0, COMQTT_FROM_SERVER = 1 };

/** Which property list of a packet is meant. */
typedef int32_t comqtt_section;
enum {
    COMQTT_SECTION_PACKET = 0,
    COMQTT_SECTION_WILL = 1 /**< will properties; CONNECT with a will only */
};

/** Property identifiers (2.2.2.2). */
typedef uint8_t comqtt_prop;
enum {
    COMQTT_PROP_PAYLOAD_FORMAT_INDICATOR = 0x01,
    COMQTT_PROP_MESSAGE_EXPIRY_INTERVAL = 0x02,
    COMQTT_PROP_CONTENT_TYPE = 0x03,
    COMQTT_PROP_RESPONSE_TOPIC = 0x08,
    COMQTT_PROP_CORRELATION_DATA = 0x09,
    COMQTT_PROP_SUBSCRIPTION_IDENTIFIER = 0x0B,
    COMQTT_PROP_SESSION_EXPIRY_INTERVAL = 0x11,
    COMQTT_PROP_ASSIGNED_CLIENT_IDENTIFIER = 0x12,
    COMQTT_PROP_SERVER_KEEP_ALIVE = 0x13,
    COMQTT_PROP_AUTHENTICATION_METHOD = 0x15,
    COMQTT_PROP_AUTHENTICATION_DATA = 0x16,
    COMQTT_PROP_REQUEST_PROBLEM_INFORMATION = 0x17,
    COMQTT_PROP_WILL_DELAY_INTERVAL = 0x18,
    COMQTT_PROP_REQUEST_RESPONSE_INFORMATION = 0x19,
    COMQTT_PROP_RESPONSE_INFORMATION = 0x1A,
    COMQTT_PROP_SERVER_REFERENCE = 0x1C,
    COMQTT_PROP_REASON_STRING = 0x1F,
    COMQTT_PROP_RECEIVE_MAXIMUM = 0x21,
    COMQTT_PROP_TOPIC_ALIAS_MAXIMUM = 0x22,
    COMQTT_PROP_TOPIC_ALIAS = 0x23,
    COMQTT_PROP_MAXIMUM_QOS = 0x24,
    COMQTT_PROP_RETAIN_AVAILABLE = 0x25,
    COMQTT_PROP_USER_PROPERTY = 0x26,
    COMQTT_PROP_MAXIMUM_PACKET_SIZE = 0x27,
    COMQTT_PROP_WILDCARD_SUBSCRIPTION_AVAILABLE = 0x28,
    COMQTT_PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29,
    COMQTT_PROP_SHARED_SUBSCRIPTION_AVAILABLE = 0x2A
};

/** Type of a property's value; 0 = no such property. */
typedef int32_t comqtt_prop_type;
enum {
    COMQTT_PROP_TYPE_NONE = 0,
    COMQTT_PROP_TYPE_BYTE = 1,
    COMQTT_PROP_TYPE_TWO_BYTE = 2,
    COMQTT_PROP_TYPE_FOUR_BYTE = 3,
    COMQTT_PROP_TYPE_VARINT = 4,
    COMQTT_PROP_TYPE_UTF8 = 5,
    COMQTT_PROP_TYPE_BINARY = 6,
    COMQTT_PROP_TYPE_PAIR = 7
};

/** One entry of SUBSCRIBE, or a subscription of a client. UNSUBSCRIBE uses the filter only. */
typedef struct comqtt_subscription {
    size_t struct_size;
    comqtt_str filter; /**< as sent, `$share/<group>/` included */
    uint8_t qos;
    bool no_local;
    bool retain_as_published;
    uint8_t retain_handling; /**< 0, 1 or 2 */
    /** Subscription Identifier, 0 = none. Of a session's subscription; in SUBSCRIBE it is a property of the packet, and
     * this member is 0 when read and ignored when set. */
    uint32_t identifier;
} comqtt_subscription;

/** The fields of CONNECT beside its properties. Absent texts have ptr NULL. */
typedef struct comqtt_connect {
    size_t struct_size;
    comqtt_str protocol_name; /**< as read; ignored when set: the version decides */
    comqtt_str client_id;
    comqtt_str username;
    comqtt_bytes password;
    uint16_t keep_alive; /**< seconds */
    bool clean_start;    /**< "clean session" in 3.x */
    bool has_will;
    uint8_t will_qos;
    bool will_retain;
    comqtt_str will_topic;
    comqtt_bytes will_payload;
} comqtt_connect;

/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_subscription comqtt_subscription_init(void) {
    comqtt_subscription record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}
/** A zeroed record with its size set. Since 1.0. */
static inline comqtt_connect comqtt_connect_init(void) {
    comqtt_connect record;
    memset(&record, 0, sizeof record);
    record.struct_size = sizeof record;
    return record;
}

/** New editable packet with zero fields. Errors: INVALID_ARGUMENT for a kind or protocol that does not exist. Since
 * 1.0. */
COMQTT_API comqtt_status comqtt_packet_new(comqtt_packet_kind kind, comqtt_protocol protocol,
                                           comqtt_packet** out_packet);
/** Editable deep copy. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_clone(const comqtt_packet* packet, comqtt_packet** out_packet);
/** Adds a count; any thread. Returns its argument; NULL gives NULL. Since 1.0. */
COMQTT_API comqtt_packet* comqtt_packet_retain(const comqtt_packet* packet);
/** Gives a count back; any thread; NULL is ignored. Since 1.0. */
COMQTT_API void comqtt_packet_release(comqtt_packet* packet);
/** True when setters will answer COMQTT_ERR_STATE. Since 1.0. */
COMQTT_API bool comqtt_packet_is_frozen(const comqtt_packet* packet);

/** Packet type; 0 for NULL. Since 1.0. */
COMQTT_API comqtt_packet_kind comqtt_packet_type(const comqtt_packet* packet);
/** Version of the connection the packet travels on. Since 1.0. */
COMQTT_API comqtt_protocol comqtt_packet_version(const comqtt_packet* packet);
/** Sets the version that validate and encode obey. Errors: STATE, INVALID_ARGUMENT. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_version(comqtt_packet* packet, comqtt_protocol protocol);

/** QoS of a PUBLISH. Since 1.0. */
COMQTT_API uint8_t comqtt_packet_qos(const comqtt_packet* packet);
/** Errors: STATE; INVALID_ARGUMENT above 2. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_qos(comqtt_packet* packet, uint8_t qos);
/** DUP flag of a PUBLISH. Since 1.0. */
COMQTT_API bool comqtt_packet_dup(const comqtt_packet* packet);
/** Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_dup(comqtt_packet* packet, bool dup);
/** RETAIN flag of a PUBLISH. (Named apart from comqtt_packet_retain, which counts.) Since 1.0. */
COMQTT_API bool comqtt_packet_retain_flag(const comqtt_packet* packet);
/** Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_retain_flag(comqtt_packet* packet, bool retain);
/** Topic name of a PUBLISH. Since 1.0. */
COMQTT_API comqtt_str comqtt_packet_topic(const comqtt_packet* packet);
/** Copies the name. Errors: STATE; TOO_LARGE above 65,535 bytes. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_topic(comqtt_packet* packet, comqtt_str topic);
/** Payload of a PUBLISH. Since 1.0. */
COMQTT_API comqtt_bytes comqtt_packet_payload(const comqtt_packet* packet);
/** Copies the payload. Errors: STATE; TOO_LARGE above what a packet can hold. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_payload(comqtt_packet* packet, comqtt_bytes payload);
/** Packet identifier; 0 = none. Since 1.0. */
COMQTT_API uint16_t comqtt_packet_id(const comqtt_packet* packet);
/** Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_id(comqtt_packet* packet, uint16_t packet_id);
/** Reason code of CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT, AUTH. Since 1.0. */
COMQTT_API comqtt_reason comqtt_packet_reason(const comqtt_packet* packet);
/** Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_reason(comqtt_packet* packet, comqtt_reason reason);
/** Session Present flag of a CONNACK. Since 1.0. */
COMQTT_API bool comqtt_packet_session_present(const comqtt_packet* packet);
/** Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_session_present(comqtt_packet* packet, bool present);
/** Reason codes of SUBACK and UNSUBACK, one per filter. Since 1.0. */
COMQTT_API comqtt_bytes comqtt_packet_reason_codes(const comqtt_packet* packet);
/** Copies the codes. Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_reason_codes(comqtt_packet* packet, comqtt_bytes codes);

/** Client id of the publisher; empty when the packet did not come from a client. Since 1.0. */
COMQTT_API comqtt_str comqtt_packet_origin(const comqtt_packet* packet);
/** When the server took the message in, unix milliseconds of the server's clock; 0 = unknown. Since 1.0. */
COMQTT_API int64_t comqtt_packet_created_unix_ms(const comqtt_packet* packet);

/** Number of entries of SUBSCRIBE and UNSUBSCRIBE. Since 1.0. */
COMQTT_API size_t comqtt_packet_filter_count(const comqtt_packet* packet);
/** Entry `index`; the text is borrowed from the packet. Errors: NOT_FOUND past the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_filter(const comqtt_packet* packet, size_t index,
                                              comqtt_subscription* out_entry);
/** Appends an entry. Errors: STATE; TOO_LARGE above 65,535 bytes. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_add_filter(comqtt_packet* packet, const comqtt_subscription* entry);
/** Replaces an entry. Errors: STATE; NOT_FOUND past the end; TOO_LARGE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_filter(comqtt_packet* packet, size_t index,
                                                  const comqtt_subscription* entry);
/** Takes an entry out; those after it move up. Errors: STATE; NOT_FOUND past the end. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_remove_filter(comqtt_packet* packet, size_t index);

/** The fields of a CONNECT as views into the packet. Errors: STATE for another packet type. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_connect(const comqtt_packet* packet, comqtt_connect* out_connect);
/** Copies the fields of a CONNECT; will properties are kept while has_will is true. Errors: STATE for another
 * packet type or a frozen packet; TOO_LARGE; INVALID_ARGUMENT for a will QoS above 2. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_connect(comqtt_packet* packet, const comqtt_connect* connect);

/** Name of a property as the specification prints it; NULL when there is none. Static. Since 1.0. */
COMQTT_API const char* comqtt_prop_name(comqtt_prop id);
/** Type of a property's value. Since 1.0. */
COMQTT_API comqtt_prop_type comqtt_prop_type_of(comqtt_prop id);

/** Number of properties in a section, repeated ones counted each. Since 1.0. */
COMQTT_API size_t comqtt_packet_prop_count(const comqtt_packet* packet, comqtt_section section);
/** Identifier of property `index` in wire order; 0 past the end. Since 1.0. */
COMQTT_API comqtt_prop comqtt_packet_prop_id(const comqtt_packet* packet, comqtt_section section,
                                             size_t index);
/** True when the property is there. Since 1.0. */
COMQTT_API bool comqtt_packet_has_prop(const comqtt_packet* packet, comqtt_section section, comqtt_prop id);
/** Value of a number property (BYTE, TWO_BYTE, FOUR_BYTE, VARINT); false when it is not there. Since 1.0. */
COMQTT_API bool comqtt_packet_prop_int(const comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                                       uint32_t* out_value);
/** Value of a UTF8 or BINARY property, borrowed from the packet; false when it is not there. Since 1.0. */
COMQTT_API bool comqtt_packet_prop_bytes(const comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                                         comqtt_bytes* out_value);
/** The same as text. Since 1.0. */
COMQTT_API bool comqtt_packet_prop_str(const comqtt_packet* packet, comqtt_section section, comqtt_prop id,
                                       comqtt_str* out_value);
/** Sets a number property, replacing a former value. Errors: STATE (frozen; will section without a will);
 * INVALID_ARGUMENT for another type or a value above the type's range. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_prop_int(comqtt_packet* packet, comqtt_section section,
                                                    comqtt_prop id, uint32_t value);
/** Sets a UTF8 or BINARY property; copies. Errors: STATE; INVALID_ARGUMENT; TOO_LARGE above 65,535 bytes. Since
 * 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_prop_bytes(comqtt_packet* packet, comqtt_section section,
                                                      comqtt_prop id, comqtt_bytes value);
/** The same from text. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_set_prop_str(comqtt_packet* packet, comqtt_section section,
                                                    comqtt_prop id, comqtt_str value);
/** Takes out every property of that identifier; none there is no error. Errors: STATE. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_remove_prop(comqtt_packet* packet, comqtt_section section,
                                                   comqtt_prop id);

/** Number of user properties. Since 1.0. */
COMQTT_API size_t comqtt_packet_user_prop_count(const comqtt_packet* packet, comqtt_section section);
/** User property `index` in wire order; views into the packet. False past the end. Since 1.0. */
COMQTT_API bool comqtt_packet_user_prop(const comqtt_packet* packet, comqtt_section section, size_t index,
                                        comqtt_pair* out_pair);
/** Appends a user property; copies. Errors: STATE; TOO_LARGE above 65,535 bytes each. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_add_user_prop(comqtt_packet* packet, comqtt_section section,
                                                     comqtt_str key, comqtt_str value);

/** Number of subscription identifiers. Since 1.0. */
COMQTT_API size_t comqtt_packet_subscription_id_count(const comqtt_packet* packet);
/** Subscription identifier `index`; 0 past the end. Since 1.0. */
COMQTT_API uint32_t comqtt_packet_subscription_id(const comqtt_packet* packet, size_t index);
/** Appends a subscription identifier (1 to 268,435,455). Errors: STATE; INVALID_ARGUMENT. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_add_subscription_id(comqtt_packet* packet, uint32_t id);

/** Checks every rule that does not depend on a connection's state. Errors: PROTOCOL, with the reason code, the
 * violated statement and what is wrong. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_validate(const comqtt_packet* packet, comqtt_sender sender,
                                                comqtt_error** out_error);
/** Writes the wire form for the packet's version to `buffer`; `*out_len` gets its size. A NULL buffer asks for the
 * size only. Errors: BUFFER_TOO_SMALL, with the size stored; PROTOCOL when the packet has no wire form (field too
 * long, type unknown to that version). Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_encode(const comqtt_packet* packet, uint8_t* buffer, size_t capacity,
                                              size_t* out_len);
/** Reads one packet from the front of `bytes`; `*out_used` (may be NULL) gets its size. `protocol` is that of the
 * connection; ignored for CONNECT. Errors: NOT_FOUND when `bytes` do not hold a whole packet yet; PROTOCOL with the
 * reason code, the violated statement and the byte offset. Since 1.0. */
COMQTT_API comqtt_status comqtt_packet_decode(comqtt_bytes bytes, comqtt_protocol protocol,
                                              comqtt_sender sender, comqtt_packet** out_packet,
                                              size_t* out_used, comqtt_error** out_error);

#ifdef __cplusplus
}
#endif
#endif
