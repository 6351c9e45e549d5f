#pragma once
// Options: one table row per option (key, type, default, range, text). Keys are those of the YAML file, joined
// by dots; `mqtt.options.` in front is accepted.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/result.hpp"
#include "broker/config.hpp"
#include "storage/store_config.hpp"

namespace comqtt::server {

enum class ClockKind : uint8_t { system, manual };
enum class StorageWay : uint8_t { memory = 0, sqlite = 1 };

struct Options {
    broker::Config broker;
    uint32_t threads = 0;  ///< shards; 0 = one per core
    ClockKind clock = ClockKind::system;
    uint32_t client_read_buffer_size = 262'144;  ///< bytes, per shard
    uint32_t client_write_buffer_size = 65'536;  ///< bytes, output chunk
    StorageWay storage_way = StorageWay::memory;
    storage::StoreConfig store;
    LogSink log;
    LogLevel log_level = LogLevel::info;
};

enum class OptionType : uint8_t { boolean, integer, text };

struct OptionInfo {
    const char* key;
    OptionType type;
    const char* default_text;
    int64_t minimum;
    int64_t maximum;
    const char* text;  ///< one line
};

/// Text form of any value: "true", "20", "wait". Errors name the key, the range, and for an unknown key the
/// nearest known one.
Result<void> set_option(Options& options, std::string_view key, std::string_view value);
Result<std::string> get_option(const Options& options, std::string_view key);
void each_option(const std::function<void(const OptionInfo&)>& fn);
const OptionInfo* find_option(std::string_view key);

}  // namespace comqtt::server
