// Version, texts of statuses and reasons, the error object, topic tests.

#include <cstring>

#include "capi/guard.hpp"
#include "capi/views.hpp"
#include "mqtt/publish_view.hpp"
#include "mqtt/reason.hpp"
#include "topics/filter.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

struct StatusInfo {
    comqtt_status status;
    const char* name;
    const char* text;
};

#define COMQTT_STATUS_ROW(name, text) \
    { name, #name, text }
constexpr StatusInfo kStatuses[] = {
    COMQTT_STATUS_ROW(COMQTT_PENDING, "the answer comes later"),
    COMQTT_STATUS_ROW(COMQTT_OK, "ok"),
    COMQTT_STATUS_ROW(COMQTT_ERR_INVALID_ARGUMENT, "invalid argument or handle"),
    COMQTT_STATUS_ROW(COMQTT_ERR_NO_MEMORY, "out of memory"),
    COMQTT_STATUS_ROW(COMQTT_ERR_NOT_FOUND, "not found"),
    COMQTT_STATUS_ROW(COMQTT_ERR_EXISTS, "exists already"),
    COMQTT_STATUS_ROW(COMQTT_ERR_STATE, "not possible in this state"),
    COMQTT_STATUS_ROW(COMQTT_ERR_CLOSED, "closed"),
    COMQTT_STATUS_ROW(COMQTT_ERR_TIMEOUT, "timed out"),
    COMQTT_STATUS_ROW(COMQTT_ERR_UNSUPPORTED, "not supported by this library"),
    COMQTT_STATUS_ROW(COMQTT_ERR_ADDRESS_IN_USE, "address in use"),
    COMQTT_STATUS_ROW(COMQTT_ERR_ADDRESS, "address not usable"),
    COMQTT_STATUS_ROW(COMQTT_ERR_IO, "input or output failed"),
    COMQTT_STATUS_ROW(COMQTT_ERR_TLS, "TLS failed"),
    COMQTT_STATUS_ROW(COMQTT_ERR_STORAGE, "storage failed"),
    COMQTT_STATUS_ROW(COMQTT_ERR_CONFIG, "invalid setting"),
    COMQTT_STATUS_ROW(COMQTT_ERR_PROTOCOL, "against the rules of MQTT"),
    COMQTT_STATUS_ROW(COMQTT_ERR_DENIED, "denied"),
    COMQTT_STATUS_ROW(COMQTT_ERR_TOO_LARGE, "too large"),
    COMQTT_STATUS_ROW(COMQTT_ERR_BUFFER_TOO_SMALL, "buffer too small"),
    COMQTT_STATUS_ROW(COMQTT_ERR_REENTRANT, "would wait for the callback it is called from"),
    COMQTT_STATUS_ROW(COMQTT_ERR_CALLBACK, "a callback failed"),
    COMQTT_STATUS_ROW(COMQTT_ERR_CANCELLED, "cancelled"),
    COMQTT_STATUS_ROW(COMQTT_ERR_QUEUE_FULL, "queue full"),
    COMQTT_STATUS_ROW(COMQTT_ERR_INLINE_DISABLED, "the inline client is disabled by option inline-client"),
    COMQTT_STATUS_ROW(COMQTT_ERR_INTERNAL, "internal error"),
};
#undef COMQTT_STATUS_ROW

static_assert(COMQTT_PENDING == static_cast<int>(Status::pending));
static_assert(COMQTT_ERR_PROTOCOL == static_cast<int>(Status::protocol));
static_assert(COMQTT_ERR_INLINE_DISABLED == static_cast<int>(Status::inline_disabled));
static_assert(COMQTT_ERR_INTERNAL == static_cast<int>(Status::internal));

const StatusInfo* find_status(comqtt_status status) {
    for (const StatusInfo& info : kStatuses)
        if (info.status == status) return &info;
    return nullptr;
}

/// What a topic name and a topic filter have in common.
bool is_mqtt_text(std::string_view value) {
    return !value.empty() && value.size() <= kMaxText && mqtt::utf8_valid(ByteView(value));
}

bool is_topic_name(std::string_view topic) {
    return is_mqtt_text(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

const comqtt_error* error_of(const comqtt_error* error) { return checked(error); }

}  // namespace

uint32_t comqtt_version(void) { return COMQTT_VERSION_NUM; }

#define COMQTT_TEXT_OF(number) #number
#define COMQTT_DOTTED(major, minor, patch) \
    COMQTT_TEXT_OF(major) "." COMQTT_TEXT_OF(minor) "." COMQTT_TEXT_OF(patch)
const char* comqtt_version_text(void) {
    return COMQTT_DOTTED(COMQTT_VERSION_MAJOR, COMQTT_VERSION_MINOR, COMQTT_VERSION_PATCH);
}

bool comqtt_has_feature(const char* name) {
    if (!name) return false;
    for (const char* feature : {"tcp", "unix", "fd", "pipe", "manual-clock"})
        if (std::strcmp(feature, name) == 0) return true;
    return false;
}

const char* comqtt_status_name(comqtt_status status) {
    const StatusInfo* info = find_status(status);
    return info ? info->name : "COMQTT_ERR_UNKNOWN";
}

const char* comqtt_status_text(comqtt_status status) {
    const StatusInfo* info = find_status(status);
    return info ? info->text : "unknown status";
}

const char* comqtt_reason_text(comqtt_reason reason) {
    return mqtt::reason_text(static_cast<mqtt::Reason>(reason));
}

comqtt_status comqtt_error_status(const comqtt_error* error) {
    error = error_of(error);
    return error ? static_cast<comqtt_status>(error->error.status) : COMQTT_OK;
}

comqtt_reason comqtt_error_reason(const comqtt_error* error) {
    error = error_of(error);
    return error ? error->error.reason : comqtt_reason{COMQTT_REASON_SUCCESS};
}

comqtt_str comqtt_error_message(const comqtt_error* error) {
    error = error_of(error);
    return error ? to_str(error->error.message) : comqtt_str{nullptr, 0};
}

void comqtt_error_free(comqtt_error* error) {
    if (checked(error)) release(error);
}

bool comqtt_topic_matches(comqtt_str filter, comqtt_str topic) {
    topics::ParsedFilter parsed;
    if (!is_mqtt_text(text(filter)) || !is_topic_name(text(topic))) return false;
    if (topics::parse_filter(text(filter), parsed) != topics::FilterError::none) return false;
    return topics::matches(parsed.topic_filter, text(topic));
}

bool comqtt_topic_name_is_valid(comqtt_str topic) { return is_topic_name(text(topic)); }

bool comqtt_topic_filter_is_valid(comqtt_str filter) {
    topics::ParsedFilter parsed;
    return is_mqtt_text(text(filter)) &&
           topics::parse_filter(text(filter), parsed) == topics::FilterError::none;
}
