// Random histories. COMQTT_SIM_SEEDS=n runs n times as many; COMQTT_SIM_SEED=n runs that seed only;
// COMQTT_SIM_LINES=n shows that many lines of the trace of a failure.

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "sim/history.hpp"

using namespace comqtt::sim;

namespace {

uint64_t number_from(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

void run_seeds(uint64_t first, uint64_t count, unsigned shards, unsigned steps) {
    count *= number_from("COMQTT_SIM_SEEDS", 1);
    const uint64_t only = number_from("COMQTT_SIM_SEED", 0);
    unsigned failures = 0;
    for (uint64_t i = 0; i < (only ? 1 : count) && failures < 3; ++i) {
        const uint64_t seed = only ? only : first + i;
        try {
            run_history({.seed = seed, .shards = shards, .steps = steps});
        } catch (const Failure& failure) {
            ++failures;
            FAIL_CHECK(std::string(failure.what()));
        }
    }
}

}  // namespace

TEST_CASE("short random histories on one shard give every client what it is owed") {
    run_seeds(1, 300, 1, 600);
}
TEST_CASE("short random histories on two shards give every client what it is owed") {
    run_seeds(100'000, 300, 2, 600);
}
TEST_CASE("short random histories on three shards give every client what it is owed") {
    run_seeds(200'000, 300, 3, 600);
}
TEST_CASE("long random histories on one shard give every client what it is owed") {
    run_seeds(300'000, 10, 1, 10'000);
}
TEST_CASE("long random histories on two shards give every client what it is owed") {
    run_seeds(400'000, 15, 2, 10'000);
}
TEST_CASE("long random histories on three shards give every client what it is owed") {
    run_seeds(500'000, 15, 3, 10'000);
}

TEST_CASE("the same seed gives the same history") {
    for (unsigned shards = 1; shards <= 3; ++shards) {
        History once({.seed = 77, .shards = shards, .steps = 1500});
        History again({.seed = 77, .shards = shards, .steps = 1500});
        once.run();
        again.run();
        CHECK(once.fingerprint() == again.fingerprint());
    }
}
