#include "base/log.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace comqtt;

namespace {

struct Lines {
    std::vector<std::string> all;
    LogSink sink() {
        return [this](LogLevel level, std::string_view component, std::string_view message) {
            all.push_back(fmt::format("{} {}: {}", static_cast<int>(level), component, message));
        };
    }
};

}  // namespace

TEST_CASE("lines of the log's level and above reach the sink, formatted") {
    Lines lines;
    const Log log(lines.sink(), LogLevel::warn);
    log.write(LogLevel::debug, "net", "{}", 1);
    log.write(LogLevel::info, "net", "{}", 2);
    log.write(LogLevel::warn, "net", "client '{}' has {} bytes", "a", 3);
    log.write(LogLevel::error, "auth", "no");
    CHECK(lines.all == std::vector<std::string>{"2 net: client 'a' has 3 bytes", "3 auth: no"});
    CHECK_FALSE(log.enabled(LogLevel::info));
    CHECK(log.enabled(LogLevel::warn));
}

TEST_CASE("a log that is off, or has no sink, writes nothing") {
    Lines lines;
    const Log off(lines.sink(), LogLevel::off);
    off.write(LogLevel::error, "net", "lost");
    CHECK(lines.all.empty());
    CHECK_FALSE(off.enabled(LogLevel::error));
    const Log none;
    CHECK_FALSE(none.enabled(LogLevel::error));
    none.write(LogLevel::error, "net", "lost");
    CHECK_FALSE(Log(nullptr, LogLevel::debug).enabled(LogLevel::error));
}

TEST_CASE("a limiter lets a burst through each second and tells how many it held back") {
    LogLimiter limiter(3);
    uint64_t suppressed = 99;
    for (int i = 0; i < 3; ++i) {
        CHECK(limiter.allow(1000, suppressed));
        CHECK(suppressed == 0);
    }
    for (int i = 0; i < 5; ++i) CHECK_FALSE(limiter.allow(1999, suppressed));
    CHECK(limiter.allow(2000, suppressed));
    CHECK(suppressed == 5);
    CHECK(limiter.allow(2001, suppressed));
    CHECK(suppressed == 0);
}

TEST_CASE("a name with control characters stays on its line") {
    Lines lines;
    const Log log(lines.sink(), LogLevel::debug);
    log.write(LogLevel::info, "net", "{} came\t", "a\nb\x1B[31m\x7F");
    REQUIRE(lines.all.size() == 1);
    CHECK(lines.all[0].find("a\\x0Ab\\x1B[31m\\x7F came\\x09") != std::string::npos);
}

TEST_CASE("what was held back is said when something was") {
    CHECK(lines_held_back(0).empty());
    CHECK(lines_held_back(7) == "; 7 such lines held back");
}

TEST_CASE("a limiter lets the first line through whatever the time") {
    for (const int64_t now : {int64_t{0}, int64_t{-5}, int64_t{1'700'000'000'000}}) {
        LogLimiter limiter(1);
        uint64_t suppressed = 99;
        CHECK(limiter.allow(now, suppressed));
        CHECK_FALSE(limiter.allow(now, suppressed));
    }
}
