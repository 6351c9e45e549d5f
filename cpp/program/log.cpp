#include "log.hpp"

// Five letters at most: the column of the level is as wide.
#define SPDLOG_LEVEL_NAMES \
    { "trace", "debug", "info", "warn", "error", "fatal", "off" }

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <string_view>

namespace comqtt::program {

namespace {

constexpr size_t kLinesWaiting = 8192;

spdlog::level::level_enum spdlog_level(comqtt_log_level level) {
    switch (level) {
        case COMQTT_LOG_DEBUG: return spdlog::level::debug;
        case COMQTT_LOG_INFO: return spdlog::level::info;
        case COMQTT_LOG_WARN: return spdlog::level::warn;
        case COMQTT_LOG_ERROR: return spdlog::level::err;
        default: return spdlog::level::off;
    }
}

}  // namespace

LogOutput::LogOutput(int level) {
    spdlog::init_thread_pool(kLinesWaiting, 1);
    auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("comqtt");
    logger->set_level(spdlog_level(level));
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-5!l%$ %v");
    spdlog::set_default_logger(std::move(logger));
}

LogOutput::~LogOutput() { spdlog::shutdown(); }

void log_line(comqtt_log_level level, const std::string& text) {
    spdlog::log(spdlog_level(level), "{}", text);
}

void log_from_library(void*, const comqtt_log_record* record) {
    const std::string_view component(record->component.ptr, record->component.len);
    const std::string_view message(record->message.ptr, record->message.len);
    spdlog::log(spdlog_level(record->level), "{}: {}", component, message);
}

}  // namespace comqtt::program
