#include "broker/loads.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "broker_stage.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;

namespace {

class FakeStore final : public hooks::Hook {
public:
    std::string_view id() const override { return "store"; }
    hooks::EventMask events() const override { return hooks::mask_of(EventId::load_messages); }
    Status load_messages(hooks::Event&, hooks::Load& load) override {
        asked.push_back(Ref<hooks::Load>::share(&load));
        return Status::pending;
    }
    std::vector<Ref<hooks::Load>> asked;
};

struct Stage : CoreStage {
    Stage() : here(core, 0), loads(here, timers) { REQUIRE(core.hooks.add(store)); }
    uint64_t page(std::string client_id, uint64_t session = 9) {
        hooks::Load::Request request;
        request.client_id = std::move(client_id);
        request.after = 1;
        return loads.begin(std::move(request), session, 0);
    }
    size_t mails() { return core.mailboxes[0]->take(SIZE_MAX).size(); }

    std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>();
    Here here;
    Timers timers;
    Loads loads;
};

}  // namespace

TEST_CASE("stores are asked when the round is handed over, in order, each question once") {
    Stage stage;
    CHECK(stage.loads.empty());
    stage.page("a");
    stage.page("b");
    CHECK(stage.store->asked.empty());
    stage.loads.hand_over();
    stage.loads.hand_over();
    REQUIRE(stage.store->asked.size() == 2);
    CHECK(stage.store->asked[0]->request().client_id == "a");
    CHECK(stage.store->asked[1]->request().client_id == "b");
    CHECK(stage.store->asked[0]->request().max_bytes == stage.core.config.limits.client_queue_memory);
    CHECK_FALSE(stage.loads.empty());
}

TEST_CASE("an answer comes as mail and is given back once, with what it was asked for") {
    Stage stage;
    const uint64_t number = stage.page("a", 77);
    stage.loads.hand_over();
    CHECK(stage.mails() == 0);
    stage.store->asked[0]->complete(Status::ok);
    CHECK(stage.mails() == 1);
    const auto came = stage.loads.came(number);
    REQUIRE(came);
    CHECK(came->session == 77);
    CHECK(came->connection == 0);
    CHECK(came->load->status() == Status::ok);
    CHECK_FALSE(stage.loads.came(number));
    CHECK(stage.loads.empty());
}

TEST_CASE("a store that does not answer in time has failed, and its late answer is refused") {
    Stage stage;
    const uint64_t number = stage.page("a");
    stage.loads.hand_over();
    const Timers::Due due = stage.timers.pop();
    CHECK(due.kind == Timers::Kind::load);
    CHECK(due.ref == number);
    stage.loads.due(number);
    CHECK(stage.mails() == 1);
    CHECK(stage.store->asked[0]->complete(Status::ok) == Status::state);
    const auto came = stage.loads.came(number);
    REQUIRE(came);
    CHECK(came->load->status() == Status::timeout);
    stage.loads.due(number);
    CHECK(stage.mails() == 0);
}
