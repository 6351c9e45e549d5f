// Options: setters and getters over the core's option table, and the log callback.

#include <charconv>

#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

Result<void> settable(const comqtt_options* options, const char* key) {
    if (!checked(options)) return invalid("the options are NULL or not options");
    if (!key) return invalid("the key is NULL");
    return {};
}

/// An unknown key is left to set_option, which names the nearest one.
Result<void> of_type(const char* key, server::OptionType type, const char* name) {
    const server::OptionInfo* info = server::find_option(key);
    if (!info || info->type == type) return {};
    return Error{Status::config, fmt::format("option '{}' is not of type {}", key, name)};
}

/// Whatever is wrong with a key or a value is a matter of configuration.
Result<void> set(comqtt_options* options, const char* key, std::string_view value) {
    auto result = server::set_option(options->value, key, value);
    if (result) return {};
    Error error = result.take_error();
    error.status = Status::config;
    return error;
}

comqtt_status set_typed(comqtt_options* options, const char* key, server::OptionType type, const char* name,
                        std::string_view value, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        if (auto fine = settable(options, key); !fine) return fine;
        if (auto fine = of_type(key, type, name); !fine) return fine;
        return set(options, key, value);
    });
}

Result<std::string> get_typed(const comqtt_options* options, const char* key, server::OptionType type) {
    if (auto fine = settable(options, key); !fine) return fine.take_error();
    const server::OptionInfo* info = server::find_option(key);
    if (!info || info->type != type) return Error{Status::not_found, {}};
    return server::get_option(options->value, key);
}

/// The application's log function; dies with the last sink that holds it.
struct LogTarget {
    comqtt_log_fn fn;
    Drop drop;

    void operator()(LogLevel level, std::string_view component, std::string_view message) const {
        comqtt_log_record record{};
        record.struct_size = sizeof record;
        record.level = static_cast<comqtt_log_level>(level);
        record.component = to_str(component);
        record.message = to_str(message);
        const CallbackScope scope;
        fn(drop.user(), &record);
    }
};

}  // namespace

comqtt_status comqtt_options_new(comqtt_options** out_options) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!out_options) return invalid("out_options is NULL");
        *out_options = new comqtt_options;
        return {};
    });
}

comqtt_status comqtt_options_clone(const comqtt_options* options, comqtt_options** out_options) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(options) || !out_options) return invalid("a parameter is NULL or not options");
        auto copy = std::make_unique<comqtt_options>();
        copy->value = options->value;
        *out_options = copy.release();
        return {};
    });
}

void comqtt_options_free(comqtt_options* options) {
    if (checked(options)) release(options);
}

comqtt_status comqtt_options_set(comqtt_options* options, const char* key, comqtt_str value,
                                 comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        if (auto fine = settable(options, key); !fine) return fine;
        return set(options, key, text(value));
    });
}

comqtt_status comqtt_options_set_bool(comqtt_options* options, const char* key, bool value,
                                      comqtt_error** out_error) {
    return set_typed(options, key, server::OptionType::boolean, "BOOL", value ? "true" : "false", out_error);
}

comqtt_status comqtt_options_set_int(comqtt_options* options, const char* key, int64_t value,
                                     comqtt_error** out_error) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return set_typed(options, key, server::OptionType::integer, "INT",
                     std::string_view(digits, static_cast<size_t>(end - digits)), out_error);
}

comqtt_status comqtt_options_set_str(comqtt_options* options, const char* key, comqtt_str value,
                                     comqtt_error** out_error) {
    return set_typed(options, key, server::OptionType::text, "STR", text(value), out_error);
}

comqtt_status comqtt_options_get(const comqtt_options* options, const char* key, char* buffer,
                                 size_t capacity, size_t* out_len) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (auto fine = settable(options, key); !fine) return fine;
        auto value = server::get_option(options->value, key);
        if (!value) return Error{Status::not_found, {}};
        return outcome(copy_out(*value, buffer, capacity, out_len));
    });
}

bool comqtt_options_get_bool(const comqtt_options* options, const char* key, bool* out_value) {
    return guarded_or(false, [&] {
        auto value = get_typed(options, key, server::OptionType::boolean);
        if (!value || !out_value) return false;
        *out_value = *value == "true" || *value == "1";
        return true;
    });
}

bool comqtt_options_get_int(const comqtt_options* options, const char* key, int64_t* out_value) {
    return guarded_or(false, [&] {
        auto value = get_typed(options, key, server::OptionType::integer);
        if (!value || !out_value) return false;
        return std::from_chars(value->data(), value->data() + value->size(), *out_value).ec == std::errc();
    });
}

comqtt_status comqtt_options_each(comqtt_option_fn fn, void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!fn) return invalid("the function is NULL");
        bool more = true;
        server::each_option([&](const server::OptionInfo& info) {
            if (!more) return;
            const comqtt_option_info row = {
                sizeof row,        info.key,     static_cast<comqtt_option_type>(info.type),
                info.default_text, info.minimum, info.maximum,
                info.text};
            more = fn(user, &row);
        });
        return {};
    });
}

comqtt_status comqtt_options_set_log(comqtt_options* options, comqtt_log_level min_level, comqtt_log_fn fn,
                                     void* user, comqtt_drop_fn drop) {
    Drop owned(user, drop);
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(options)) return invalid("the options are NULL or not options");
        if (min_level < COMQTT_LOG_DEBUG || min_level > COMQTT_LOG_OFF) return invalid("no such log level");
        options->value.log_level = static_cast<LogLevel>(min_level);
        if (!fn) {
            options->value.log = nullptr;
            return {};
        }
        auto target = std::make_shared<const LogTarget>(LogTarget{fn, std::move(owned)});
        options->value.log = [target](LogLevel level, std::string_view component, std::string_view message) {
            (*target)(level, component, message);
        };
        return {};
    });
}
