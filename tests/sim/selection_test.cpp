#include <doctest/doctest.h>

#include <time.h>

#include <algorithm>
#include <functional>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;

namespace {

/// Sees the receivers of each message and chooses every member of a share.
class Selector final : public hooks::Hook {
public:
    std::string_view id() const override { return "selector"; }
    hooks::EventMask events() const override { return hooks::mask_of(hooks::EventId::on_select_subscribers); }
    void on_select_subscribers(hooks::Event&, hooks::Selection& selection, hooks::PacketBox&) override {
        names.clear();
        for (auto& receiver : selection.receivers) {
            names.push_back(receiver.client_id);
            if (everybody) receiver.chosen = true;
        }
    }
    std::vector<std::string> names;
    bool everybody = false;
};

/// Of this thread on a processor: what else runs on the machine does not count.
double seconds_of(const std::function<void()>& work) {
    const auto now = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    };
    const double begin = now();
    work();
    return now() - begin;
}

}  // namespace

TEST_CASE(
    "a hook that selects receivers is told their names on whichever shard they are, also after they came "
    "back") {
    for (unsigned count = 1; count <= 4; ++count) {
        Stage stage(shards(count));
        auto hook = std::make_shared<Selector>();
        REQUIRE(stage.sim.core->hooks.add(hook));
        Client& publisher = stage.connected("publisher", 0);
        std::vector<std::string> expected;
        for (unsigned i = 0; i < count; ++i) {
            Client& client =
                stage.connected("r" + std::to_string(i), i, {}, {.clean = true, .expiry_s = 1000});
            stage.subscribe(client, "s", {.qos = 1});
            stage.subscribe(client, "$share/g/s", {.qos = 1});
            client.cut();
            stage.rest();
            client.connect({.clean = false, .expiry_s = 1000});
            stage.rest();
            expected.push_back(client.settings().id);
            expected.push_back(client.settings().id);
        }
        publisher.publish("s", {.qos = 0});
        stage.rest();
        std::sort(hook->names.begin(), hook->names.end());
        std::sort(expected.begin(), expected.end());
        CHECK(hook->names == expected);
    }
}

TEST_CASE(
    "what a publish costs with a hook that selects receivers follows from those, not from all clients") {
    Stage stage(shards(2));
    auto hook = std::make_shared<Selector>();
    REQUIRE(stage.sim.core->hooks.add(hook));
    Client& publisher = stage.connected("publisher", 0);
    Client& receiver = stage.connected("receiver", 1, {.wire_capacity = 1 << 20});
    stage.subscribe(receiver, "s", {.qos = 0});
    const auto publish = [&] {
        double best = 1e9;
        for (int repeat = 0; repeat < 5; ++repeat)
            best = std::min(best, seconds_of([&] {
                                for (int i = 0; i < 100; ++i) publisher.publish("s", {.qos = 0});
                                stage.rest();
                            }));
        return best;
    };
    const double alone = publish();
    std::vector<Ref<hooks::Client>> others;
    for (int i = 0; i < 20'000; ++i) {
        auto client = Ref<hooks::Client>::adopt(new hooks::Client);
        client->id = "other" + std::to_string(i);
        stage.sim.shard(static_cast<unsigned>(i) % 2).make_inline_session(client, true);
        stage.sim.core->registry.put(client);
        others.push_back(client);
    }
    const double among_many = publish();
    // It was some hundred times as much.
    CHECK_MESSAGE(among_many < 10 * alone, among_many, " s, alone ", alone, " s");
    CHECK(receiver.inbox.size() == 1000);
}

TEST_CASE(
    "what a publish costs when a hook chooses all members of a share grows with their number, not its "
    "square") {
    const auto cost = [](unsigned members) {
        Stage stage(shards(2));
        auto hook = std::make_shared<Selector>();
        hook->everybody = true;
        REQUIRE(stage.sim.core->hooks.add(hook));
        Client& publisher = stage.connected("publisher", 0);
        size_t received = 0;
        for (unsigned i = 0; i < members; ++i) {
            auto client = Ref<hooks::Client>::adopt(new hooks::Client);
            client->id = "member" + std::to_string(i);
            client->is_inline = true;
            broker::Shard& shard = stage.sim.shard(i % 2);
            broker::Session& session = shard.make_inline_session(client, true);
            topics::SubscriptionOptions options;
            shard.subscribe_inline(session, "$share/g/s", options,
                                   [&](hooks::Client&, hooks::PacketBox&) { ++received; });
        }
        stage.rest();
        double best = 1e9;
        for (int repeat = 0; repeat < 5; ++repeat)
            best = std::min(best, seconds_of([&] {
                                publisher.publish("s", {.qos = 0});
                                stage.rest();
                            }));
        CHECK(received == 5 * members);
        return best;
    };
    const double few = cost(2000);
    const double many = cost(20'000);
    CHECK_MESSAGE(many < 40 * few, many, " s, with a tenth of them ", few, " s");
}
