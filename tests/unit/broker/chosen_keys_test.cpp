// Client ids and topic filters are chosen by clients, and may be chosen so that they have one std::hash.

#include <doctest/doctest.h>
#include <time.h>

#include <functional>
#include <set>

#include "broker/core.hpp"
#include "broker/replays.hpp"
#include "broker/subscriptions.hpp"
#include "support/colliding.hpp"
#include "topics/topic_alias.hpp"
#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::broker;

namespace {

constexpr size_t kCount = 16'384;
/// In a table that chains what collides each text costs thousands of comparisons.
constexpr double kMostTimes = 10;

double seconds_of(const std::function<void()>& work) {
    const auto now = [] {
        timespec time;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    };
    const double began = now();
    work();
    return now() - began;
}

void check_cost(const std::function<void(const std::vector<std::string>&)>& use) {
    static const auto colliding = support::Colliding().texts(kCount);
    static const auto others = support::Colliding::others(kCount);
    use(others);  // both with memory that was used before
    const double usual = seconds_of([&] { use(others); });
    const double chosen = seconds_of([&] { use(colliding); });
    CHECK_MESSAGE(chosen < kMostTimes * usual, usual, " s, with chosen keys ", chosen, " s");
}

}  // namespace

TEST_CASE("the texts of these tests are different and have one std::hash") {
    const auto texts = support::Colliding().texts(kCount);
    CHECK(std::set<std::string>(texts.begin(), texts.end()).size() == kCount);
    for (const std::string& text : texts)
        REQUIRE(std::hash<std::string>{}(text) == std::hash<std::string>{}(texts[0]));
}

TEST_CASE("filters that a client has chosen to collide cost no more than others") {
    check_cost([](const std::vector<std::string>& filters) {
        Subscriptions subscriptions;
        for (const std::string& filter : filters) subscriptions.put(filter, {});
        for (const std::string& filter : filters) REQUIRE(subscriptions.contains(filter));
        for (const std::string& filter : filters) REQUIRE(subscriptions.erase(filter));
    });
}

TEST_CASE("client ids that were chosen to collide cost no more than others") {
    check_cost([](const std::vector<std::string>& ids) {
        Registry registry;
        std::vector<Ref<hooks::Client>> clients;
        for (const std::string& id : ids) registry.put(clients.emplace_back(hooks::test::make_client(id)));
        for (const std::string& id : ids) REQUIRE(registry.find(id));
        for (const auto& client : clients) registry.remove(*client);
        CHECK(registry.count() == 0);
    });
}

TEST_CASE("blocked client ids that were chosen to collide cost no more than others") {
    check_cost([](const std::vector<std::string>& ids) {
        BlockList blocked;
        for (const std::string& id : ids) REQUIRE(blocked.add(id, kCount) == Status::ok);
        for (const std::string& id : ids) REQUIRE(blocked.contains(id));
        for (const std::string& id : ids) REQUIRE(blocked.remove(id));
    });
}

TEST_CASE("topics that were chosen to collide cost no more aliases than others") {
    check_cost([](const std::vector<std::string>& topics) {
        topics::OutboundAliases aliases(kCount);
        for (int round = 0; round < 2; ++round)
            for (const std::string& topic : topics) aliases.use(topic);
    });
}
