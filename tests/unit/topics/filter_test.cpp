#include "topics/filter.hpp"

#include <doctest/doctest.h>

#include "model.hpp"

using namespace comqtt::topics;

namespace {

FilterError parse(std::string_view filter) {
    ParsedFilter parsed;
    return parse_filter(filter, parsed);
}

}  // namespace

TEST_SUITE("topics/filter") {
    TEST_CASE("an empty filter is refused [MQTT-4.7.3-1]") { CHECK(parse("") == FilterError::empty); }

    TEST_CASE("the multi-level wildcard must be the last level and alone in it [MQTT-4.7.1-1]") {
        for (auto filter : {"#", "a/#", "/#", "+/#", "$SYS/#"}) CHECK(parse(filter) == FilterError::none);
        for (auto filter : {"a#", "a/b#", "#/a", "a/#/b", "##", "#a", "a/#b", "#/", "a/#/", "+#"}) {
            CAPTURE(filter);
            CHECK(parse(filter) == FilterError::bad_wildcard);
        }
    }

    TEST_CASE("the single-level wildcard must occupy an entire level [MQTT-4.7.1-2]") {
        for (auto filter : {"+", "+/a", "a/+/b", "a/+", "/+", "+/", "+/+/+"})
            CHECK(parse(filter) == FilterError::none);
        for (auto filter : {"a+", "+a", "a+/b", "a/b+", "a/+b/c", "++", "+#"}) {
            CAPTURE(filter);
            CHECK(parse(filter) == FilterError::bad_wildcard);
        }
    }

    TEST_CASE("a filter is taken apart into levels and wildcards") {
        ParsedFilter parsed;
        REQUIRE(parse_filter("a/+/c", parsed) == FilterError::none);
        CHECK(parsed.topic_filter == "a/+/c");
        CHECK(parsed.levels == 3);
        CHECK(parsed.has_wildcard);
        CHECK_FALSE(parsed.shared);
        REQUIRE(parse_filter("/", parsed) == FilterError::none);
        CHECK(parsed.levels == 2);
        CHECK_FALSE(parsed.has_wildcard);
    }

    TEST_CASE("a shared filter has a share name of at least one character [MQTT-4.8.2-1]") {
        CHECK(parse("$share//t") == FilterError::bad_share);
        CHECK(parse("$share/") == FilterError::bad_share);
        ParsedFilter parsed;
        REQUIRE(parse_filter("$share/g/a/#", parsed) == FilterError::none);
        CHECK(parsed.shared);
        CHECK(parsed.share_name == "g");
        CHECK(parsed.topic_filter == "a/#");
        CHECK(parsed.has_wildcard);
        CHECK(parsed.levels == 2);
    }

    TEST_CASE("a share name has no wildcard and is followed by a topic filter [MQTT-4.8.2-2]") {
        for (auto filter : {"$share/g", "$share/g/", "$share/+/t", "$share/g#/t", "$share/a+b/t"}) {
            CAPTURE(filter);
            CHECK(parse(filter) == FilterError::bad_share);
        }
        CHECK(parse("$share/g//") == FilterError::none);
        CHECK(parse("$share/g/a#") == FilterError::bad_wildcard);
    }

    TEST_CASE("only the lower-case prefix $share/ makes a filter a shared one [MQTT-4.7.3-4]") {
        ParsedFilter parsed;
        for (auto filter : {"$SHARE/g/t", "$share", "$shared/g/t", "a/$share/g/t"}) {
            REQUIRE(parse_filter(filter, parsed) == FilterError::none);
            CHECK_FALSE(parsed.shared);
            CHECK(parsed.topic_filter == filter);
        }
    }

    TEST_CASE("levels are counted by their separators") {
        CHECK(level_count("a") == 1);
        CHECK(level_count("a/b") == 2);
        CHECK(level_count("/") == 2);
        CHECK(level_count("//a/") == 4);
    }

    TEST_CASE("the multi-level wildcard matches the parent level and everything below [MQTT-4.7.1-1]") {
        CHECK(matches("a/#", "a"));
        CHECK(matches("a/#", "a/"));
        CHECK(matches("a/#", "a/b/c"));
        CHECK_FALSE(matches("a/#", "ab"));
        CHECK(matches("+/#", "a"));
        CHECK(matches("#", "/"));
        CHECK_FALSE(matches("a/b/#", "a"));
    }

    TEST_CASE("the single-level wildcard matches exactly one level, an empty one too [MQTT-4.7.1-2]") {
        CHECK(matches("a/+", "a/b"));
        CHECK(matches("a/+", "a/"));
        CHECK_FALSE(matches("a/+", "a"));
        CHECK_FALSE(matches("a/+", "a/b/c"));
        CHECK(matches("+/+", "/a"));
        CHECK(matches("/+", "/a"));
        CHECK_FALSE(matches("+", "/a"));
    }

    TEST_CASE("a leading wildcard does not match a topic that begins with $ [MQTT-4.7.2-1]") {
        CHECK_FALSE(matches("#", "$SYS/a"));
        CHECK_FALSE(matches("+/a", "$SYS/a"));
        CHECK_FALSE(matches("+", "$"));
        CHECK(matches("$SYS/#", "$SYS/a"));
        CHECK(matches("$SYS/+", "$SYS/a"));
        CHECK(matches("a/+", "a/$b"));
    }

    TEST_CASE("topics are compared character by character without normalisation [MQTT-4.7.3-4]") {
        CHECK_FALSE(matches("a/B", "a/b"));
        CHECK_FALSE(matches("a", "a/"));
        CHECK_FALSE(matches("a//b", "a/b"));
        CHECK_FALSE(matches("\xC3\xA9", "e\xCC\x81"));
    }

    TEST_CASE("random filters match random topics as the model says") {
        topics_test::Generator random(1);
        for (int i = 0; i < 50000; ++i) {
            std::string filter = random.filter();
            std::string topic = random.topic();
            CAPTURE(filter);
            CAPTURE(topic);
            REQUIRE(parse(filter) == FilterError::none);
            REQUIRE(matches(filter, topic) == topics_test::model_matches(filter, topic));
        }
    }
}
