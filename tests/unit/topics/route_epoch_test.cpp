#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "model.hpp"
#include "topics/filter.hpp"
#include "topics/subscription_index.hpp"

using namespace comqtt::topics;

namespace {

SubscriberId id(uint64_t value) { return {value}; }

// A topic like `pattern` + number whose buckets differ from those of the other one.
std::string apart_from(const SubscriptionIndex& index, const std::string& prefix, const RouteEpoch& other,
                       bool level_too) {
    for (int i = 0;; ++i) {
        std::string topic = prefix + std::to_string(i) + (level_too ? "/x" : "");
        auto e = index.epoch(topic);
        if (e.exact_bucket != other.exact_bucket && (!level_too || e.level_bucket != other.level_bucket))
            return topic;
    }
}

}  // namespace

TEST_SUITE("topics/epoch") {
    TEST_CASE("an exact subscription makes routes of its own topic stale and no others") {
        SubscriptionIndex index;
        auto own = index.epoch("a/b");
        std::string sibling = apart_from(index, "a/", own, false);
        auto other = index.epoch(sibling);
        index.subscribe("a/b", "", id(1), {});
        CHECK_FALSE(index.is_current(own));
        CHECK(index.is_current(other));
    }

    TEST_CASE("a wildcard subscription makes stale the routes with its first level and no others") {
        SubscriptionIndex index;
        auto below = index.epoch("a/b/c");
        auto parent = index.epoch("a");
        auto other = index.epoch(apart_from(index, "n", below, true));
        index.subscribe("a/#", "", id(1), {});
        CHECK_FALSE(index.is_current(below));
        CHECK_FALSE(index.is_current(parent));
        CHECK(index.is_current(other));
    }

    TEST_CASE("a subscription that begins with a wildcard makes every route stale") {
        SubscriptionIndex index;
        auto a = index.epoch("a/b");
        auto b = index.epoch("c");
        index.subscribe("+/b", "", id(1), {});
        CHECK_FALSE(index.is_current(a));
        CHECK_FALSE(index.is_current(b));
    }

    TEST_CASE("every kind of change makes the routes it concerns stale, and nothing else does") {
        for (auto filter : {"a/b", "a/+", "#"})
            for (auto share : {"", "g"}) {
                SubscriptionIndex index;
                auto e = index.epoch("a/b");
                index.subscribe(filter, share, id(1), {});
                CHECK_FALSE(index.is_current(e));
                e = index.epoch("a/b");
                index.subscribe(filter, share, id(1), {});  // options replaced
                CHECK_FALSE(index.is_current(e));
                e = index.epoch("a/b");
                CHECK_FALSE(index.unsubscribe(filter, share, id(2)).existed);
                index.set_online(filter, share, id(1), false);
                CHECK(index.is_current(e));
                index.unsubscribe(filter, share, id(1));
                CHECK_FALSE(index.is_current(e));
            }
    }

    TEST_CASE("a route that is current holds what the index holds, for random changes") {
        topics_test::Generator random(31);
        SubscriptionIndex index;
        struct Route {
            std::string topic;
            RouteEpoch epoch;
            size_t matches;
        };
        std::vector<Route> routes;
        auto count = [&](const std::string& topic) {
            Matches matches;
            index.match(topic, matches);
            return matches.plain.size();
        };
        size_t kept = 0;
        for (int i = 0; i < 3000; ++i) {
            if (routes.size() < 50) {
                std::string topic = random.topic();
                auto e = index.epoch(topic);
                routes.push_back({topic, e, count(topic)});
            }
            std::string filter = random.filter();
            if (random.chance(2))
                index.subscribe(filter, "", id(1 + random.below(3)), {});
            else
                index.unsubscribe(filter, "", id(1 + random.below(3)));
            for (auto& route : routes) {
                if (index.is_current(route.epoch)) {
                    ++kept;
                    REQUIRE(count(route.topic) == route.matches);
                } else {
                    route.epoch = index.epoch(route.topic);
                    route.matches = count(route.topic);
                }
            }
        }
        CHECK(kept > 50000);
    }

    TEST_CASE("threads that match during changes never keep a stale route") {
        SubscriptionIndex index;
        index.subscribe("steady/+/x", "", id(1), {});
        index.subscribe("steady/1/x", "g", id(2), {});
        std::atomic<bool> stop{false};
        std::atomic<int> announced{0};  // the subscription of id 3 is certainly there (odd) or not (even)
        std::atomic<int> wrong{0};
        auto reader = [&] {
            RouteEpoch epoch;
            bool cached = false;
            bool found = false;
            while (!stop) {
                int before = announced;
                if (!cached || !index.is_current(epoch)) {
                    epoch = index.epoch("steady/1/x");
                    Matches matches;
                    index.match("steady/1/x", matches);
                    found = false;
                    for (auto& match : matches.plain) found |= match.subscriber == id(3);
                    cached = true;
                    if (matches.groups.size() != 1 || !matches.groups[0]->pick()) ++wrong;
                }
                if (announced == before && found != (before % 2 == 1)) {
                    // The change after `before` may be under way already; only a lasting difference counts.
                    if (index.is_current(epoch) && announced == before) {
                        Matches again;
                        index.match("steady/1/x", again);
                        bool now = false;
                        for (auto& match : again.plain) now |= match.subscriber == id(3);
                        if (announced == before && now == (before % 2 == 1) && index.is_current(epoch))
                            ++wrong;
                    }
                }
            }
        };
        std::thread first(reader), second(reader);
        const char* const filters[] = {"steady/1/x", "steady/1/+", "+/1/#"};
        for (int i = 0; i < 3000; ++i) {
            const char* filter = filters[i % 3];
            index.subscribe(filter, "", id(3), {});
            ++announced;
            index.subscribe("steady/1/x", "g", id(4), {});
            index.set_online("steady/1/x", "g", id(4), i % 2 == 0);
            for (int k = 0; k < 20; ++k) index.subscribe("bulk/" + std::to_string(k) + "/+", "", id(5), {});
            index.unsubscribe(filter, "", id(3));
            ++announced;
            index.unsubscribe("steady/1/x", "g", id(4));
            for (int k = 0; k < 20; ++k) index.unsubscribe("bulk/" + std::to_string(k) + "/+", "", id(5));
        }
        stop = true;
        first.join();
        second.join();
        CHECK(wrong == 0);
        CHECK(index.subscription_count() == 2);
    }
}
