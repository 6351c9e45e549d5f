#pragma once
// Result<T>: a value or an Error. Used everywhere in the core instead of exceptions.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace comqtt {

/// What went wrong, in the library's own terms. Values equal COMQTT_ERR_* of comqtt.h.
enum class Status : int32_t {
    pending = 1,  ///< no error: the answer comes later, from any thread
    ok = 0,
    invalid_argument = -1,
    no_memory = -2,
    not_found = -3,
    exists = -4,
    state = -5,
    closed = -6,
    timeout = -7,
    unsupported = -8,
    address_in_use = -9,
    address = -10,
    io = -11,
    tls = -12,
    storage = -13,
    config = -14,
    protocol = -15,
    denied = -16,
    too_large = -17,
    buffer_too_small = -18,
    reentrant = -19,
    callback = -20,
    cancelled = -21,
    queue_full = -22,
    inline_disabled = -23,
    internal = -128,
};

struct Error {
    Status status = Status::internal;
    std::string message;
    uint8_t reason = 0;  ///< MQTT reason code when status is `protocol` or `denied`, else 0.
};

template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T& operator*() { return std::get<0>(state_); }
    const T& operator*() const { return std::get<0>(state_); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }
    T take() { return std::move(std::get<0>(state_)); }
    const Error& error() const { return std::get<1>(state_); }
    Error take_error() { return std::move(std::get<1>(state_)); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}

    explicit operator bool() const { return !failed_; }
    const Error& error() const { return error_; }
    Error take_error() { return std::move(error_); }

private:
    Error error_;
    bool failed_ = false;
};

}  // namespace comqtt
