// A server that ends while a message is on its way from one of its threads to another: the next one, with what the
// store had committed, delivers it once. Clients of the first keep to shards 0 (publisher) and 1.

#include <doctest/doctest.h>

#include <algorithm>

#include "server/restoring.hpp"
#include "sim/stage.hpp"
#include "support/slow_store.hpp"

using namespace comqtt;
using namespace comqtt::sim;
using support::SlowStore;

namespace {

constexpr ConnectSettings kStays = {.clean = false, .expiry_s = 1000};

struct Ended {
    explicit Ended(uint64_t seed) : stage(shards(2, seed)) {
        store->at_once = true;
        REQUIRE(stage.sim.core->hooks.add(store));
        publisher = &stage.connected("publisher", 0, {}, kStays);
    }
    Client& away(const std::string& name, const std::string& filter) {
        Client& client = stage.connected(name, 1, {}, kStays);
        stage.subscribe(client, filter, {.qos = 2});
        client.disconnect();
        stage.rest();
        return client;
    }
    /// Publishes; the store commits this many of the batches that come of it.
    void publish(const std::string& topic, int committed, bool retain = false) {
        store->at_once = false;
        publisher->publish(topic, {.qos = 2, .retain = retain});
        stage.sim.run_all(0);
        stage.sim.run_all(1);
        for (int i = 0; i < committed; ++i) REQUIRE(store->work());
    }
    /// A topic whose retained message belongs to shard 1.
    std::string topic_elsewhere() const {
        std::string topic = "r";
        while (stage.sim.core->shard_of_topic(ByteView(topic)) != 1) topic += "r";
        return topic;
    }

    Stage stage;
    std::shared_ptr<SlowStore> store = std::make_shared<SlowStore>();
    Client* publisher = nullptr;
};

/// The state of the store after a start on what the other one had.
std::shared_ptr<SlowStore> started_with(const SlowStore& committed, unsigned shard_count, uint64_t seed) {
    Sim sim(shards(shard_count, seed));
    auto store = std::make_shared<SlowStore>();
    store->at_once = true;
    store->sessions = committed.sessions;
    store->retained = committed.retained;
    REQUIRE(sim.core->hooks.add(store));
    REQUIRE(server::restore_stored_state(*sim.core));
    sim.settle();
    sim.pass(10, 10);
    CHECK(store->fault == "");
    for (const auto& [id, session] : store->sessions) CHECK(!broker::HandoverLog::of(id));
    return store;
}

size_t queued(const SlowStore& store, const Client& client) {
    const auto at = store.sessions.find(client.settings().id);
    return at == store.sessions.end() ? 0 : at->second.queue.size();
}

}  // namespace

TEST_CASE("a QoS 2 message that had not arrived at the other thread is delivered after the start, once") {
    for (uint64_t seed = 1; seed <= 30; ++seed)
        for (int committed = 1; committed <= 2; ++committed) {
            Ended ended(seed);
            const Client& near = [&]() -> Client& {
                Client& client = ended.stage.connected("near", 0, {}, kStays);
                ended.stage.subscribe(client, "t", {.qos = 2});
                client.disconnect();
                ended.stage.rest();
                return client;
            }();
            const Client& far = ended.away("far", "t");
            ended.publish("t", committed);
            REQUIRE(queued(*ended.store, far) == (committed == 2 ? 1 : 0));
            const auto after = started_with(*ended.store, 1 + seed % 3, seed + 1000);
            CHECK(queued(*after, far) == 1);
            CHECK(queued(*after, near) == 1);
            CHECK(after->sessions.at(ended.publisher->settings().id).received.size() == 1);
        }
}

TEST_CASE("a QoS 2 message that nothing is committed of is not delivered: its publisher sends it again") {
    Ended ended(5);
    const Client& far = ended.away("far", "t");
    ended.publish("t", 0);
    const auto after = started_with(*ended.store, 2, 6);
    CHECK(queued(*after, far) == 0);
    CHECK(after->sessions.at(ended.publisher->settings().id).received.empty());
}

TEST_CASE(
    "a shared QoS 2 message on its way to a member of another thread is given to one member after the "
    "start") {
    for (int committed = 1; committed <= 2; ++committed) {
        Ended ended(9);
        const Client& first = ended.away("first", "$share/g/s");
        const Client& second = ended.away("second", "$share/g/s");
        ended.publish("s", committed);
        const auto after = started_with(*ended.store, 2, 10);
        CHECK(queued(*after, first) + queued(*after, second) == 1);
    }
}

TEST_CASE("a QoS 2 message keeps the QoS that a hook chose for its receiver") {
    struct Lowering final : hooks::Hook {
        std::string_view id() const override { return "lowering"; }
        hooks::EventMask events() const override {
            return hooks::mask_of(hooks::EventId::on_select_subscribers);
        }
        void on_select_subscribers(hooks::Event&, hooks::Selection& selection, hooks::PacketBox&) override {
            for (hooks::SelectedReceiver& receiver : selection.receivers) receiver.qos = 1;
        }
    };
    for (int committed = 1; committed <= 2; ++committed) {
        Ended ended(17);
        REQUIRE(ended.stage.sim.core->hooks.add(std::make_shared<Lowering>()));
        const Client& far = ended.away("far", "t");
        ended.publish("t", committed);
        const auto after = started_with(*ended.store, 2, 18);
        REQUIRE(queued(*after, far) == 1);
        CHECK(after->sessions.at(far.settings().id).queue.begin()->second.qos == 1);
    }
}

TEST_CASE("a retained QoS 2 message on its way to the thread of its topic is retained after the start") {
    for (int committed = 1; committed <= 2; ++committed) {
        Ended ended(11);
        const std::string topic = ended.topic_elsewhere();
        ended.publish(topic, committed, true);
        CHECK(ended.store->retained.size() == (committed == 2 ? 1 : 0));
        CHECK(started_with(*ended.store, 3, 12)->retained.count(topic) == 1);
    }
}

TEST_CASE(
    "a message for members of another thread is with one of two stored sessions whenever the server ends") {
    for (int committed = 0; committed <= 3; ++committed) {
        Ended ended(13);
        Client& leaving = ended.stage.connected("leaving", 0, {}, {.clean = false, .expiry_s = 10});
        ended.stage.subscribe(leaving, "$share/g/s", {.qos = 1});
        leaving.deaf = true;
        ended.publisher->publish("s", {.qos = 1});
        ended.stage.rest();
        Client& heir = ended.stage.connected("heir", 1, {}, kStays);
        ended.stage.subscribe(heir, "$share/g/s", {.qos = 1});
        REQUIRE(queued(*ended.store, leaving) == 1);
        ended.store->at_once = false;
        leaving.cut();
        ended.stage.sim.run_all(0);
        ended.stage.sim.run_all(1);
        for (int i = 0; i < committed; ++i) ended.store->work();
        const auto after = started_with(*ended.store, 2, 14);
        CHECK(queued(*after, leaving) + queued(*after, heir) == 1);
    }
}

TEST_CASE("a will on its way to another thread is delivered once whenever the server ends") {
    for (int committed = 0; committed <= 2; ++committed) {
        Ended ended(15);
        const Client& far = ended.away("far", "w/#");
        Client& dying = ended.stage.connected(
            "dying", 0, {}, {.clean = false, .expiry_s = 1000, .will = true, .will_qos = 1});
        ended.store->at_once = false;
        dying.cut();
        ended.stage.sim.run_all(0);
        ended.stage.sim.run_all(1);
        for (int i = 0; i < committed; ++i) REQUIRE(ended.store->work());
        REQUIRE(queued(*ended.store, far) == (committed == 2 ? 1 : 0));
        CHECK(queued(*started_with(*ended.store, 2, 16), far) == 1);
    }
}

TEST_CASE("a client id that begins with $comqtt/ is refused") {
    Stage stage(shards(1));
    Client& client = stage.client("$comqtt/handover/1/2/0/1", 0);
    client.expects_end = true;
    client.connect({});
    stage.rest();
    CHECK(client.ended_with == mqtt::Reason::client_identifier_not_valid);
}

TEST_CASE("the id of a handover log says whose it is") {
    const broker::HandoverLog log{0xFEDCBA9876543210, 12, 3, 11};
    const auto read = broker::HandoverLog::of(log.client_id());
    REQUIRE(read);
    CHECK(read->seed == log.seed);
    CHECK(read->shards == 12);
    CHECK(read->from == 3);
    CHECK(read->to == 11);
    for (const char* other :
         {"", "$comqtt/handover/", "$comqtt/handover/1/0/0/0", "$comqtt/handover/1/2/3/4/5",
          "$comqtt/handover/1/2/3/", "$comqtt/handover/x/2/3/4", "client"})
        CHECK(!broker::HandoverLog::of(other));
}
