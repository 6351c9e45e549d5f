#include "broker/acl_cache.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"

using namespace comqtt::broker;
using comqtt::hooks::Access;
using comqtt::hooks::Verdict;

TEST_CASE("a verdict is known for its topic and its access") {
    AclCache cache;
    CHECK(cache.find(7, Access::read, 0, 1) == Verdict::next);
    cache.store(7, Access::read, true, 100, 1, 1024);
    cache.store(7, Access::write, false, 100, 1, 1024);
    cache.store(8, Access::write, true, 100, 1, 1024);
    CHECK(cache.find(7, Access::read, 0, 1) == Verdict::allow);
    CHECK(cache.find(7, Access::write, 0, 1) == Verdict::deny);
    CHECK(cache.find(8, Access::write, 0, 1) == Verdict::allow);
    CHECK(cache.find(8, Access::read, 0, 1) == Verdict::next);
    CHECK(cache.find(9, Access::read, 0, 1) == Verdict::next);
}

TEST_CASE("a verdict ends with its lifetime and a new one takes its place") {
    AclCache cache;
    for (const bool allowed : {true, false}) {
        cache.store(7, Access::read, allowed, 100, 1, 1024);
        CHECK(cache.find(7, Access::read, 99, 1) == (allowed ? Verdict::allow : Verdict::deny));
        CHECK(cache.find(7, Access::read, 100, 1) == Verdict::next);
    }
    cache.store(7, Access::read, true, 200, 1, 1024);
    CHECK(cache.find(7, Access::read, 199, 1) == Verdict::allow);
}

TEST_CASE("every verdict is void when the epoch moves on") {
    AclCache cache;
    cache.store(7, Access::read, true, 100, 1, 1024);
    cache.store_whole(Access::write, true, 100, 1);
    CHECK(cache.find(7, Access::read, 0, 2) == Verdict::next);
    CHECK(cache.find(7, Access::write, 0, 2) == Verdict::next);
    cache.store(8, Access::read, false, 100, 2, 1024);
    CHECK(cache.find(8, Access::read, 0, 2) == Verdict::deny);
    CHECK(cache.find(7, Access::read, 0, 2) == Verdict::next);
    CHECK(cache.find(7, Access::write, 0, 2) == Verdict::next);
    CHECK(cache.find(7, Access::read, 0, 1) == Verdict::next);
}

TEST_CASE("a verdict for all topics holds for every topic with that access until its time") {
    AclCache cache;
    cache.store(7, Access::read, false, 500, 1, 1024);
    cache.store_whole(Access::read, true, 100, 1);
    for (const uint64_t topic : {0, 7, 8, 1'000'000}) {
        CHECK(cache.find(topic, Access::read, 99, 1) == Verdict::allow);
        CHECK(cache.find(topic, Access::write, 99, 1) == Verdict::next);
    }
    CHECK(cache.find(7, Access::read, 100, 1) == Verdict::deny);
    CHECK(cache.find(8, Access::read, 100, 1) == Verdict::next);
    cache.store_whole(Access::write, false, 100, 1);
    CHECK(cache.find(8, Access::write, 99, 1) == Verdict::deny);
    CHECK(cache.find(8, Access::read, 99, 1) == Verdict::allow);
}

TEST_CASE("a cache of no size keeps nothing") {
    AclCache cache;
    cache.store(7, Access::read, true, 100, 1, 0);
    CHECK(cache.find(7, Access::read, 0, 1) == Verdict::next);
}

TEST_CASE("hashes that look like a free cell are kept like any other") {
    AclCache cache;
    cache.store(0, Access::read, true, 100, 1, 1024);
    cache.store(0x9E3779B97F4A7C15, Access::write, false, 100, 1, 1024);
    CHECK(cache.find(0, Access::write, 0, 1) == Verdict::next);
    CHECK(cache.find(0x9E3779B97F4A7C15, Access::write, 0, 1) == Verdict::deny);
}

TEST_CASE("what is known is bounded, never wrong, and holds at least the last one stored") {
    for (const size_t limit : {16, 64, 1024}) {
        support::Random random(limit);
        AclCache cache;
        std::vector<uint64_t> topics(5000);
        for (size_t i = 0; i < topics.size(); ++i) {
            topics[i] = random.next();
            cache.store(topics[i], Access::write, i % 3 == 0, 100, 1, limit);
            REQUIRE(cache.find(topics[i], Access::write, 0, 1) ==
                    (i % 3 == 0 ? Verdict::allow : Verdict::deny));
        }
        size_t known = 0;
        for (size_t i = 0; i < topics.size(); ++i) {
            const Verdict verdict = cache.find(topics[i], Access::write, 0, 1);
            if (verdict == Verdict::next) continue;
            ++known;
            REQUIRE(verdict == (i % 3 == 0 ? Verdict::allow : Verdict::deny));
        }
        CAPTURE(limit);
        CHECK(known <= limit);
        CHECK(known > limit / 2);
    }
}

TEST_CASE("nearly all of a number of topics well below the limit stay known") {
    support::Random random(9);
    AclCache cache;
    std::vector<uint64_t> topics(256);
    for (uint64_t& topic : topics) cache.store(topic = random.next(), Access::read, true, 100, 1, 1024);
    size_t known = 0;
    for (const uint64_t topic : topics) known += cache.find(topic, Access::read, 0, 1) == Verdict::allow;
    CHECK(known > 250);
}
