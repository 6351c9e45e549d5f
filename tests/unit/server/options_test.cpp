#include "server/options.hpp"

#include <doctest/doctest.h>

#include <set>

#include "server/option_table.hpp"

using namespace comqtt;
using namespace comqtt::server;

namespace {

std::string text_of(const Options& options, std::string_view key) {
    const auto value = get_option(options, key);
    return value ? *value : "error: " + value.error().message;
}

/// Values that the row takes, the extremes first.
std::vector<std::string> values_of(const OptionRow& row) {
    std::vector<std::string> values;
    if (row.text) {
        values = {std::string(static_cast<size_t>(row.info.minimum), 'x'),
                  std::string(static_cast<size_t>(row.info.maximum), 'y')};
    } else if (row.words) {
        for (const char* const* word = row.words; *word; ++word) values.emplace_back(*word);
    } else if (row.info.type == OptionType::boolean) {
        values = {"true", "false"};
    } else {
        values = {std::to_string(row.info.minimum), std::to_string(row.info.maximum)};
    }
    return values;
}

void check_refused(std::string_view key, std::string_view value) {
    Options options;
    const std::string before = text_of(options, key);
    const auto result = set_option(options, key, value);
    CAPTURE(key);
    CAPTURE(value);
    REQUIRE_FALSE(result);
    CHECK(result.error().status == Status::invalid_argument);
    CHECK(result.error().message.find("'" + std::string(key) + "'") != std::string::npos);
    CHECK(result.error().message.find("'" + std::string(value) + "'") != std::string::npos);
    CHECK(text_of(options, key) == before);
}

}  // namespace

TEST_CASE("every option has a key of its own and a line about it") {
    std::set<std::string_view> keys;
    for (const OptionRow& row : option_table()) {
        const std::string_view key = row.info.key;
        CAPTURE(key);
        CHECK(keys.insert(key).second);
        CHECK(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string_view::npos);
        CHECK(std::string_view(row.info.text) != "");
        CHECK((row.info.type == OptionType::text) == (row.words != nullptr || row.text != nullptr));
        CHECK(row.info.minimum <= row.info.maximum);
    }
    size_t told = 0;
    each_option([&](const OptionInfo& info) {
        CHECK(keys.count(info.key) == 1);
        ++told;
    });
    CHECK(told == keys.size());
}

TEST_CASE("new options have the defaults that the table tells, and each default may be set") {
    Options options;
    for (const OptionRow& row : option_table()) {
        CAPTURE(row.info.key);
        CHECK(text_of(options, row.info.key) == row.info.default_text);
        CHECK(set_option(options, row.info.key, row.info.default_text));
    }
}

TEST_CASE("each option takes its values to both ends of its range and changes no other") {
    for (const OptionRow& row : option_table())
        for (const std::string& value : values_of(row)) {
            Options options;
            CAPTURE(row.info.key);
            CAPTURE(value);
            REQUIRE(set_option(options, row.info.key, value));
            CHECK(text_of(options, row.info.key) == value);
            for (const OptionRow& other : option_table())
                if (&other != &row) REQUIRE(text_of(options, other.info.key) == other.info.default_text);
        }
}

TEST_CASE(
    "values out of range or of another kind are refused, the error names key and value, nothing changes") {
    for (const OptionRow& row : option_table()) {
        if (row.text) continue;  // any text within its length is right
        for (const char* value :
             {"", "maybe", "-1", "3x", " 3", "3 ", "+3", "0x3", "1e3", "99999999999999999999"})
            if (row.info.minimum >= 0) check_refused(row.info.key, value);
        if (row.info.type != OptionType::integer) continue;
        check_refused(row.info.key, std::to_string(row.info.minimum - 1));
        check_refused(row.info.key, std::to_string(row.info.maximum + 1));
        check_refused(row.info.key, "true");
    }
}

TEST_CASE("a free text is taken whole within its length, and without zero bytes") {
    Options options;
    CHECK(set_option(options, "storage-path", "/var/lib/a b.db"));
    CHECK(text_of(options, "storage-path") == "/var/lib/a b.db");
    for (const std::string& wrong : {std::string(), std::string(4097, 'x'), std::string("a\0b", 3)}) {
        const auto result = set_option(options, "storage-path", wrong);
        REQUIRE_FALSE(result);
        CHECK(result.error().message.find("'storage-path'") != std::string::npos);
    }
    CHECK(text_of(options, "storage-path") == "/var/lib/a b.db");
}

TEST_CASE("the error of a value tells what would be right") {
    Options options;
    CHECK(set_option(options, "limits.topic-levels", "0").error().message ==
          "option 'limits.topic-levels': '0' is not a number from 1 to 65535");
    CHECK(set_option(options, "inline-client", "maybe").error().message ==
          "option 'inline-client': 'maybe' is not true or false");
    CHECK(set_option(options, "backpressure", "Wait").error().message ==
          "option 'backpressure': 'Wait' is not one of wait, drop");
}

TEST_CASE("booleans may be written in the words of YAML and in digits") {
    for (const char* on : {"true", "1", "yes", "on"}) {
        Options options;
        options.broker.inline_client = false;
        CHECK(set_option(options, "inline-client", on));
        CHECK(options.broker.inline_client);
    }
    for (const char* off : {"false", "0", "no", "off"}) {
        Options options;
        CHECK(set_option(options, "inline-client", off));
        CHECK_FALSE(options.broker.inline_client);
    }
}

TEST_CASE("words set what they say") {
    Options options;
    REQUIRE(set_option(options, "clock", "manual"));
    REQUIRE(set_option(options, "log-level", "off"));
    REQUIRE(set_option(options, "backpressure", "drop"));
    REQUIRE(set_option(options, "queue-policy", "drop-newest"));
    CHECK(options.clock == ClockKind::manual);
    CHECK(options.log_level == LogLevel::off);
    CHECK(options.broker.backpressure == broker::BackpressurePolicy::drop);
    CHECK(options.broker.queue_policy == broker::QueuePolicy::drop_newest);
}

TEST_CASE("a key may have the prefix of the configuration file") {
    Options options;
    CHECK(set_option(options, "mqtt.options.capabilities.maximum-qos", "1"));
    CHECK(options.broker.capabilities.maximum_qos == 1);
    CHECK(set_option(options, "options.capabilities.maximum-qos", "0"));
    CHECK(options.broker.capabilities.maximum_qos == 0);
    REQUIRE(find_option("options.limits.routes"));
    CHECK(std::string_view(find_option("options.limits.routes")->key) == "limits.routes");
    CHECK(text_of(options, "mqtt.options.capabilities.maximum-qos") == "0");
}

TEST_CASE("an unknown key is not found and the error names the nearest one") {
    Options options;
    const struct {
        const char* key;
        const char* nearest;
    } cases[] = {{"limits.topic-level", "limits.topic-levels"},
                 {"maximum-qos", "capabilities.maximum-qos"},
                 {"mqtt.options.capabilities.retain-availible", "capabilities.retain-available"},
                 {"thread", "threads"},
                 {"Backpressure", "backpressure"}};
    for (const auto& it : cases) {
        const auto result = set_option(options, it.key, "1");
        CAPTURE(it.key);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == Status::not_found);
        CHECK(result.error().message ==
              "unknown option '" + std::string(it.key) + "'; did you mean '" + it.nearest + "'?");
        CHECK(get_option(options, it.key).error().status == Status::not_found);
        CHECK(find_option(it.key) == nullptr);
    }
    CHECK_FALSE(set_option(options, "", "1"));
}
