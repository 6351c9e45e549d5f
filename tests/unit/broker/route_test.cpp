#include "broker/route.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "support/random.hpp"

using namespace comqtt;
using namespace comqtt::broker;

namespace {

std::string topic_of(size_t number) { return "topic/" + std::to_string(number); }

constexpr size_t kMany = SIZE_MAX;

Route* find(RouteCache& cache, const std::string& topic) {
    return cache.find(ByteView(topic), cache.hash_of(ByteView(topic)));
}
Route& make(RouteCache& cache, const std::string& topic) {
    return cache.make(ByteView(topic), cache.hash_of(ByteView(topic)));
}

}  // namespace

TEST_CASE("a route is found under its topic once it was made") {
    RouteCache cache(100, kMany, 1);
    CHECK(find(cache, "a") == nullptr);
    Route& a = make(cache, "a");
    Route& b = make(cache, "b");
    CHECK(find(cache, "a") == &a);
    CHECK(find(cache, "b") == &b);
    CHECK(find(cache, "c") == nullptr);
    CHECK(cache.count() == 2);
}

TEST_CASE("topics of any length are kept whole") {
    RouteCache cache(100, kMany, 1);
    std::map<std::string, Route*> made;
    for (const size_t size : {1, 55, 56, 57, 1000, 65'535}) {
        const std::string topic(size, 'x');
        made[topic] = &make(cache, topic);
    }
    for (const auto& [topic, route] : made) {
        CAPTURE(topic.size());
        CHECK(route->topic() == topic);
        CHECK(find(cache, topic) == route);
    }
}

TEST_CASE("routes stay where they are while the table grows") {
    RouteCache cache(10'000, kMany, 1);
    std::vector<Route*> routes;
    for (size_t i = 0; i < 10'000; ++i) routes.push_back(&make(cache, topic_of(i)));
    for (size_t i = 0; i < 10'000; ++i) REQUIRE(find(cache, topic_of(i)) == routes[i]);
}

TEST_CASE("a full cache gives an old route to a new topic, with a new serial and no receivers") {
    RouteCache cache(16, kMany, 1);
    for (size_t i = 0; i < 16; ++i) {
        Route& route = make(cache, topic_of(i));
        route.targets.emplace_back();
        route.groups.emplace_back();
    }
    std::map<const Route*, uint32_t> serials;
    for (size_t i = 0; i < 16; ++i) {
        const Route* route = find(cache, topic_of(i));
        serials[route] = route->serial;
    }
    const Route& reused = make(cache, "new");
    CHECK(cache.count() == 16);
    REQUIRE(serials.count(&reused) == 1);
    CHECK(reused.serial != serials[&reused]);
    CHECK(const_cast<Route&>(reused).targets.empty());
    CHECK(reused.groups.empty());
    size_t left = 0;
    for (size_t i = 0; i < 16; ++i)
        if (const Route* route = find(cache, topic_of(i))) {
            CHECK(route->serial == serials[route]);
            ++left;
        }
    CHECK(left == 15);
}

TEST_CASE("the limit is kept, but for one that is too small to work with") {
    for (const size_t limit : {0, 1, 16, 17, 100}) {
        RouteCache cache(limit, kMany, 1);
        for (size_t i = 0; i < 1000; ++i) make(cache, topic_of(i));
        CHECK(cache.count() == (limit < 16 ? 16 : limit));
    }
}

TEST_CASE("routes that are looked up again and again outlive those that are not") {
    RouteCache cache(32, kMany, 1);
    size_t misses = 0;
    for (size_t i = 0; i < 3200; ++i) {
        for (const std::string hot : {"hot 1", "hot 2", "hot 3"})
            if (!find(cache, hot)) {
                make(cache, hot);
                ++misses;
            }
        make(cache, topic_of(i));
    }
    CHECK(misses < 10);  // 300 when the oldest one goes
}

TEST_CASE("the hash depends on the seed of the cache") {
    const RouteCache first(16, kMany, 1), second(16, kMany, 2);
    const ByteView topic(std::string_view("a/b"));
    CHECK(first.hash_of(topic) != second.hash_of(topic));
    CHECK(first.hash_of(topic) == RouteCache(1000, kMany, 1).hash_of(topic));
}

TEST_CASE("topics whose hashes are equal or crowd together are told apart, also while routes are evicted") {
    // Few hashes, of which some are neighbours and some wrap round the end of the table.
    for (const uint64_t spread : {1, 5, 40}) {
        support::Random random(spread);
        RouteCache cache(48, kMany, 1);
        const auto hash = [&](size_t topic) { return uint64_t{0} - 3 + topic * 7 % spread; };
        std::map<size_t, Route*> model;
        std::map<Route*, size_t> owner;
        for (int i = 0; i < 4000; ++i) {
            const size_t topic = random.below(120);
            const std::string name = topic_of(topic);
            Route* found = cache.find(ByteView(name), hash(topic));
            const auto known = model.find(topic);
            REQUIRE(found == (known == model.end() ? nullptr : known->second));
            if (found) continue;
            Route* made = &cache.make(ByteView(name), hash(topic));
            if (const auto before = owner.find(made); before != owner.end()) model.erase(before->second);
            model[topic] = made;
            owner[made] = topic;
            REQUIRE(cache.count() == model.size());
            for (const auto& [other, route] : model)
                REQUIRE(cache.find(ByteView(topic_of(other)), hash(other)) == route);
        }
    }
}

TEST_CASE(
    "bytes are bounded too: long topics and very many receivers push others out, one route may be above") {
    constexpr size_t kMost = 1 << 20;
    RouteCache cache(10'000, kMost, 1);
    CHECK(cache.bytes() == 0);
    for (int i = 0; i < 1000; ++i) make(cache, std::string(50'000, 'x') + std::to_string(i));
    CHECK(cache.bytes() >= kMost);
    CHECK(cache.bytes() < kMost + 60'000);
    CHECK(cache.count() < 30);
    for (int i = 0; i < 1000; ++i) make(cache, "short " + std::to_string(i));
    CHECK(cache.count() >= 1000);  // their objects are used again
    CHECK(cache.bytes() < kMost + 60'000);
    Route& wide = make(cache, "wide");
    for (int i = 0; i < 100'000; ++i) wide.targets.emplace_back();
    cache.filled(wide);
    CHECK(cache.bytes() > kMost);
    make(cache, "next");
    make(cache, "one more");  // the wide one had its second chance
    CHECK(cache.bytes() <= kMost);
    CHECK(find(cache, "one more"));
    CHECK_FALSE(find(cache, "wide"));
}

TEST_CASE("a route that was evicted is another one for those who remember it") {
    RouteCache cache(10'000, 65'536, 1);
    Route& route = make(cache, "first");
    const uint32_t serial = route.serial;
    for (int i = 0; i < 100; ++i) make(cache, std::string(10'000, 'x') + std::to_string(i));
    CHECK_FALSE(find(cache, "first"));
    CHECK(route.serial != serial);
}
