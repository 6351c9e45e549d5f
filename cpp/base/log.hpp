#pragma once
// Logging: the library never prints; it hands lines to a sink. Any thread may log.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

namespace comqtt {

enum class LogLevel : int { debug = 0, info = 1, warn = 2, error = 3, off = 4 };

/// Called from any thread; must be thread-safe and must not call back into the server.
using LogSink = std::function<void(LogLevel, std::string_view component, std::string_view message)>;

class Log {
public:
    Log() = default;
    Log(LogSink sink, LogLevel level) : sink_(std::move(sink)), level_(level) {}

    bool enabled(LogLevel level) const { return sink_ && level >= level_; }
    template <typename... Args>
    void write(LogLevel level, std::string_view component, fmt::format_string<Args...> format,
               Args&&... args) const {
        if (enabled(level))
            sink_(level, component, one_line(fmt::format(format, std::forward<Args>(args)...)));
    }

private:
    /// Names that clients chose are in it: they cannot begin another line, or write to a terminal.
    static std::string one_line(std::string text) {
        const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
        if (std::none_of(text.begin(), text.end(), control)) return text;
        std::string shown;
        for (const char c : text)
            control(c) ? void(fmt::format_to(std::back_inserter(shown), "\\x{:02X}", static_cast<uint8_t>(c)))
                       : shown.push_back(c);
        return shown;
    }

    LogSink sink_;
    LogLevel level_ = LogLevel::info;
};

/// The end of a line of a LogLimiter: nothing, or how many lines were held back before it.
inline std::string lines_held_back(uint64_t suppressed) {
    return suppressed ? fmt::format("; {} such lines held back", suppressed) : std::string();
}

/// Lets at most `burst` lines through per second and counts the rest. One thread.
class LogLimiter {
public:
    explicit LogLimiter(unsigned burst = 10) : burst_(burst) {}
    /// True when a line may be written now; `suppressed` gets the number held back before it.
    bool allow(int64_t now_ms, uint64_t& suppressed) {
        if (now_ms - window_start_ >= 1000) {
            window_start_ = now_ms;
            used_ = 0;
        }
        if (used_ >= burst_) {
            ++suppressed_;
            return false;
        }
        ++used_;
        suppressed = suppressed_;
        suppressed_ = 0;
        return true;
    }

private:
    unsigned burst_;
    unsigned used_ = 0;
    uint64_t suppressed_ = 0;
    int64_t window_start_ = INT64_MIN / 2;
};

}  // namespace comqtt
