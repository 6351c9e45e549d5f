#include "topics/subscription_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "model.hpp"
#include "topics/filter.hpp"

using namespace comqtt::topics;

namespace {

SubscriberId id(uint64_t value) { return {value}; }

SubscriptionOptions with_identifier(uint32_t identifier) {
    SubscriptionOptions options;
    options.identifier = identifier;
    return options;
}

std::vector<uint64_t> plain(const SubscriptionIndex& index, std::string_view topic) {
    Matches matches;
    index.match(topic, matches);
    std::vector<uint64_t> out;
    for (auto& match : matches.plain) out.push_back(match.subscriber.value);
    return out;
}

using Ids = std::vector<uint64_t>;

}  // namespace

TEST_SUITE("topics/index") {
    TEST_CASE("a subscriber is matched by each of its filters, in order of subscribers") {
        SubscriptionIndex index;
        index.subscribe("a/b", "", id(3), with_identifier(1));
        index.subscribe("a/+", "", id(1), with_identifier(2));
        index.subscribe("a/#", "", id(3), with_identifier(3));
        index.subscribe("#", "", id(2), with_identifier(4));
        CHECK(plain(index, "a/b") == Ids{1, 2, 3, 3});
        CHECK(plain(index, "a") == Ids{2, 3});
        CHECK(plain(index, "b") == Ids{2});
        CHECK(index.filter_count() == 4);
        CHECK(index.subscription_count() == 4);
    }

    TEST_CASE("subscribing the same filter again replaces the options [MQTT-3.8.4-3]") {
        SubscriptionIndex index;
        for (auto filter : {"a", "a/+"}) {
            auto first = index.subscribe(filter, "", id(1), with_identifier(1));
            CHECK_FALSE(first.existed);
            CHECK(first.first);
            auto again = index.subscribe(filter, "", id(1), with_identifier(2));
            CHECK(again.existed);
            CHECK_FALSE(again.first);
            CHECK(again.subscribers == 1);
        }
        Matches matches;
        index.match("a/b", matches);
        REQUIRE(matches.plain.size() == 1);
        CHECK(matches.plain[0].options.identifier == 2);
        CHECK(index.subscription_count() == 2);
    }

    TEST_CASE("unsubscribing compares filters character by character [MQTT-3.10.4-1]") {
        SubscriptionIndex index;
        index.subscribe("a/+/c", "", id(1), {});
        index.subscribe("a/+/c", "", id(2), {});
        for (auto filter : {"a/b/c", "a/+", "a/+/+", "a/#", "a/+/c/d", "+", "A/+/c"})
            CHECK_FALSE(index.unsubscribe(filter, "", id(1)).existed);
        CHECK_FALSE(index.unsubscribe("a/+/c", "", id(3)).existed);
        CHECK_FALSE(index.unsubscribe("a/+/c", "g", id(1)).existed);
        auto outcome = index.unsubscribe("a/+/c", "", id(1));
        CHECK(outcome.existed);
        CHECK_FALSE(outcome.last);
        CHECK(outcome.subscribers == 1);
        outcome = index.unsubscribe("a/+/c", "", id(2));
        CHECK(outcome.last);
        CHECK(index.filter_count() == 0);
        CHECK(plain(index, "a/b/c").empty());
    }

    TEST_CASE("unsubscribing one filter leaves the others on its path") {
        SubscriptionIndex index;
        for (auto filter : {"a/+", "a/+/c", "a/+/c/#", "a/b/+", "+"}) index.subscribe(filter, "", id(1), {});
        index.subscribe("a/+/c", "g", id(9), {});
        index.unsubscribe("a/+/c", "", id(1));
        CHECK(plain(index, "a/b/c") == Ids{1, 1});
        index.unsubscribe("a/+", "", id(1));
        index.unsubscribe("a/b/+", "", id(1));
        CHECK(plain(index, "a/b/c") == Ids{1});
        Matches matches;
        index.match("a/b/c", matches);
        REQUIRE(matches.groups.size() == 1);
        CHECK(matches.groups[0]->topic_filter == "a/+/c");
    }

    TEST_CASE("the multi-level wildcard matches the parent level in the index too [MQTT-4.7.1-1]") {
        SubscriptionIndex index;
        index.subscribe("a/#", "", id(1), {});
        index.subscribe("+/#", "", id(2), {});
        index.subscribe("a/b/#", "", id(3), {});
        index.subscribe("a/+/#", "", id(4), {});
        CHECK(plain(index, "a") == Ids{1, 2});
        CHECK(plain(index, "a/b") == Ids{1, 2, 3, 4});
        CHECK(plain(index, "x") == Ids{2});
        CHECK(plain(index, "/") == Ids{2});
    }

    TEST_CASE("no filter with a leading wildcard matches a $ topic, shared ones included [MQTT-4.7.2-1]") {
        SubscriptionIndex index;
        index.subscribe("#", "", id(1), {});
        index.subscribe("+/x", "", id(2), {});
        index.subscribe("#", "g", id(3), {});
        index.subscribe("+/x", "g", id(4), {});
        index.subscribe("$SYS/#", "", id(5), {});
        Matches matches;
        index.match("$SYS/x", matches);
        REQUIRE(matches.plain.size() == 1);
        CHECK(matches.plain[0].subscriber == id(5));
        CHECK(matches.groups.empty());
        index.match("S/x", matches);
        CHECK(matches.plain.size() == 2);
        CHECK(matches.groups.size() == 2);
    }

    TEST_CASE("empty levels are levels") {
        SubscriptionIndex index;
        index.subscribe("/+", "", id(1), {});
        index.subscribe("+/", "", id(2), {});
        index.subscribe("//#", "", id(3), {});
        index.subscribe("a//+", "", id(4), {});
        CHECK(plain(index, "/") == Ids{1, 2, 3});
        CHECK(plain(index, "//") == Ids{3});
        CHECK(plain(index, "a/") == Ids{2});
        CHECK(plain(index, "a//") == Ids{4});
        CHECK(plain(index, "a//b") == Ids{4});
    }

    TEST_CASE(
        "interest in a filter begins with its first subscriber and ends with its last, groups included") {
        SubscriptionIndex index;
        CHECK(index.subscribe("a/+", "g", id(1), {}).first);
        CHECK_FALSE(index.subscribe("a/+", "", id(1), {}).first);
        CHECK_FALSE(index.subscribe("a/+", "h", id(1), {}).first);
        CHECK(index.filter_count() == 1);
        CHECK(index.subscription_count() == 3);
        CHECK_FALSE(index.unsubscribe("a/+", "", id(1)).last);
        CHECK_FALSE(index.unsubscribe("a/+", "g", id(1)).last);
        CHECK(index.unsubscribe("a/+", "h", id(1)).last);
        CHECK(index.filter_count() == 0);
        CHECK(index.subscription_count() == 0);
    }

    TEST_CASE("each_filter lists every filter and group with its number of subscribers") {
        SubscriptionIndex index;
        std::map<std::pair<std::string, std::string>, size_t> expected;
        topics_test::Generator random(11);
        for (int i = 0; i < 500; ++i) {
            std::string filter = random.filter();
            std::string share = random.chance(3) ? "g" + std::to_string(random.below(2)) : "";
            index.subscribe(filter, share, id(1000 + static_cast<uint64_t>(i)), {});
            ++expected[{filter, share}];
        }
        std::map<std::pair<std::string, std::string>, size_t> seen;
        index.each_filter(
            [](void* user, std::string_view filter, std::string_view share, size_t subscribers) {
                auto& map = *static_cast<decltype(seen)*>(user);
                map[{std::string(filter), std::string(share)}] += subscribers;
            },
            &seen);
        CHECK(seen == expected);
    }

    TEST_CASE("many subscribers of one filter come sorted, whatever the order of joining and leaving") {
        for (auto filter : {"t", "+"}) {
            SubscriptionIndex index;
            topics_test::Generator random(5);
            std::set<uint64_t> model;
            for (int i = 0; i < 20000; ++i) {
                uint64_t value = 1 + random.below(6000);
                bool leaving = random.chance(i < 10000 ? 4 : 1 + (i % 4 == 0));
                if (leaving) {
                    auto outcome = index.unsubscribe(filter, "", id(value));
                    REQUIRE(outcome.existed == (model.erase(value) == 1));
                    if (outcome.existed) REQUIRE(outcome.subscribers == model.size());
                } else {
                    auto outcome = index.subscribe(filter, "", id(value), {});
                    REQUIRE(outcome.existed == !model.insert(value).second);
                    REQUIRE(outcome.subscribers == model.size());
                }
                if (i % 1000 == 0) REQUIRE(plain(index, "t") == Ids(model.begin(), model.end()));
            }
        }
    }

    TEST_CASE("a filter of very many levels neither overflows nor leaves anything behind") {
        SubscriptionIndex index;
        std::string topic = "a";
        std::vector<std::string> filters;
        for (int i = 0; i < 3000; ++i) {
            topic += "/a";
            filters.push_back(topic + "/+");
            filters.push_back(topic + "/#");
        }
        for (auto& filter : filters) index.subscribe(filter, "", id(1), {});
        CHECK(plain(index, topic).size() == 3001);
        std::string deep(65535, '/');
        deep.back() = '#';
        index.subscribe(deep, "", id(1), {});
        CHECK(plain(index, std::string(65533, '/')) == Ids{1});
        CHECK(plain(index, std::string(65532, '/')).empty());
        for (auto& filter : filters) REQUIRE(index.unsubscribe(filter, "", id(1)).last);
        CHECK(index.filter_count() == 1);
    }

    TEST_CASE("a random index answers as a list of subscriptions would") {
        for (uint32_t seed = 0; seed < 8; ++seed) {
            topics_test::Generator random(100 + seed);
            SubscriptionIndex index;
            std::map<std::tuple<std::string, std::string, uint64_t>, uint32_t> model;
            for (int i = 0; i < 4000; ++i) {
                std::string filter = random.filter();
                std::string share = random.chance(4) ? "g" + std::to_string(random.below(2)) : "";
                uint64_t who = 1 + random.below(4);
                if (random.chance(i < 2000 ? 4 : 2) && !model.empty()) {
                    if (random.chance(2)) {
                        auto any = std::next(model.begin(), static_cast<long>(random.below(model.size())));
                        std::tie(filter, share, who) = any->first;
                    }
                    REQUIRE(index.unsubscribe(filter, share, id(who)).existed ==
                            (model.erase({filter, share, who}) == 1));
                } else {
                    auto identifier = static_cast<uint32_t>(i);
                    REQUIRE(index.subscribe(filter, share, id(who), with_identifier(identifier)).existed ==
                            (model.count({filter, share, who}) == 1));
                    model[{filter, share, who}] = identifier;
                }
                REQUIRE(index.subscription_count() == model.size());
                if (i % 40) continue;
                std::string topic = random.topic();
                std::multiset<std::tuple<std::string, uint64_t, uint32_t>> expected, got;
                for (auto& [key, identifier] : model)
                    if (topics_test::model_matches(std::get<0>(key), topic))
                        expected.emplace(std::get<1>(key), std::get<2>(key), identifier);
                Matches matches;
                index.match(topic, matches);
                for (auto& match : matches.plain)
                    got.emplace("", match.subscriber.value, match.options.identifier);
                for (auto& group : matches.groups)
                    for (const auto* member : group->members())
                        got.emplace(group->share_name, member->subscriber.value, member->options.identifier);
                CAPTURE(topic);
                REQUIRE(got == expected);
                REQUIRE(std::is_sorted(matches.plain.begin(), matches.plain.end(), [](auto& a, auto& b) {
                    return a.subscriber.value < b.subscriber.value;
                }));
            }
            // Emptied again, nothing matches and nothing is counted.
            for (auto& [key, identifier] : model)
                REQUIRE(index.unsubscribe(std::get<0>(key), std::get<1>(key), id(std::get<2>(key))).existed);
            CHECK(index.filter_count() == 0);
            CHECK(index.subscription_count() == 0);
        }
    }
}
