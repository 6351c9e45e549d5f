#include "base/metrics.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>

using namespace comqtt;

namespace {

struct Row {
    std::string name, kind, help;
};

#define COMQTT_ROW(member, kind, help) {#member, #kind, help},
const Row kRows[] = {COMQTT_METRICS(COMQTT_ROW)};
#undef COMQTT_ROW

}  // namespace

TEST_CASE("every metric has its own name, a kind and a text") {
    std::set<std::string> names, texts;
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        CHECK(names.insert(row.name).second);
        CHECK(texts.insert(row.help).second);
        CHECK((row.kind == "counter" || row.kind == "gauge"));
        CHECK_FALSE(row.help.empty());
    }
}

TEST_CASE("a new block and a new snapshot are zero throughout") {
    const Metrics block;
    const MetricsSnapshot snapshot;
#define COMQTT_CHECK_ZERO(member, kind, help) \
    CHECK(block.member.get() == 0);           \
    CHECK(snapshot.member == 0);
    COMQTT_METRICS(COMQTT_CHECK_ZERO)
#undef COMQTT_CHECK_ZERO
}

TEST_CASE("a counter adds, subtracts and is set") {
    Counter counter;
    counter.add();
    counter.add(41);
    CHECK(counter.get() == 42);
    counter.sub();
    counter.sub(20);
    CHECK(counter.get() == 21);
    counter.set(7);
    CHECK(counter.get() == 7);
}

TEST_CASE("other threads read values of a counter that only grow while its owner adds") {
    Counter counter;
    constexpr uint64_t kLast = 200'000;
    std::thread owner([&] {
        for (uint64_t i = 0; i < kLast; ++i) counter.add();
    });
    uint64_t last = 0;
    bool grows = true;
    while (last < kLast) {
        const uint64_t now = counter.get();
        grows = grows && now >= last;
        last = now;
    }
    owner.join();
    CHECK(grows);
    CHECK(counter.get() == kLast);
}
