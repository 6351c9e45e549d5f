#include "broker/verdicts.hpp"

#include <doctest/doctest.h>

#include "broker_stage.hpp"
#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;
using What = PendingVerdict::What;

namespace {

constexpr int64_t kTimeout = 1000;

struct Stage : CoreStage {
    Stage()
        : CoreStage(1, with([](Limits& limits) {
                        limits.deferral_timeout_ms = kTimeout;
                        limits.deferrals = 3;
                    })),
          here(core, 0),
          verdicts(here, timers) {}
    Ref<hooks::Deferral> token(PacketBox* box = nullptr) { return verdicts.make_deferral(*client, box); }
    void pass(int64_t ms) {
        clock->set(here.now_ms() + ms);
        here.read_clock();
    }
    size_t mails() { return core.mailboxes[0]->take(SIZE_MAX).size(); }
    static hooks::DeferralResult allow(int64_t delay_ms = 0) {
        hooks::DeferralResult result;
        result.value = static_cast<int>(hooks::Verdict::allow);
        result.delay_ms = delay_ms;
        return result;
    }

    Ref<hooks::Client> client = hooks::test::make_client();
    Here here;
    Timers timers;
    Verdicts verdicts;
};

}  // namespace

TEST_CASE("a verdict comes as mail, and what waited for it is given back once") {
    Stage stage;
    const auto token = stage.token();
    const uint64_t number = stage.verdicts.wait_for(token, What::read, 77, 2);
    CHECK(stage.verdicts.count() == 1);
    CHECK(stage.here.metrics().deferrals_pending.get() == 1);
    CHECK(stage.mails() == 0);
    CHECK(token->complete(Stage::allow()) == Status::ok);
    CHECK(stage.mails() == 1);
    const auto came = stage.verdicts.came(number);
    REQUIRE(came);
    CHECK(came->what == What::read);
    CHECK(came->handle == 77);
    CHECK(came->position == 2);
    CHECK(came->in_time);
    CHECK(came->deferral->result().value == static_cast<int>(hooks::Verdict::allow));
    CHECK_FALSE(stage.verdicts.came(number));
    CHECK(stage.verdicts.count() == 0);
    CHECK(stage.here.metrics().deferrals_pending.get() == 0);
    CHECK(stage.core.deferrals.load() == 0);
}

TEST_CASE("without an answer its time ends, and a late one is told so") {
    Stage stage;
    const auto box = hooks::test::make_box();
    const auto token = stage.token(box.get());
    const uint64_t number = stage.verdicts.wait_for(token, What::connection, 5);
    REQUIRE(stage.timers.next_ms() == kTimeout);
    stage.pass(kTimeout);
    const Timers::Due due = stage.timers.pop();
    CHECK(due.kind == Timers::Kind::deferral);
    const auto late = stage.verdicts.due(due.ref);
    REQUIRE(late);
    CHECK_FALSE(late->in_time);
    CHECK(late->handle == 5);
    CHECK(box->frozen);
    CHECK(token->complete(Stage::allow()) == Status::timeout);
    CHECK_FALSE(stage.verdicts.came(number));
    CHECK(stage.here.metrics().deferrals_expired.get() == 1);
}

TEST_CASE("a verdict with a delay is held back for so long, and no longer than a verdict may take") {
    for (const int64_t delay : {int64_t{200}, 5 * kTimeout}) {
        Stage stage;
        const auto token = stage.token();
        const uint64_t number = stage.verdicts.wait_for(token, What::connection, 5);
        token->complete(Stage::allow(delay));
        CHECK_FALSE(stage.verdicts.came(number));
        CHECK(stage.verdicts.count() == 1);
        CHECK(stage.timers.pop().at_ms == std::min(delay, kTimeout));
        stage.pass(delay);
        const auto came = stage.verdicts.due(number);
        REQUIRE(came);
        CHECK(came->in_time);
    }
}

TEST_CASE("a deadline between completion and mail leaves the verdict to the mail") {
    Stage stage;
    const auto token = stage.token();
    const uint64_t number = stage.verdicts.wait_for(token, What::connection, 5);
    token->complete(Stage::allow());
    stage.pass(kTimeout);
    CHECK_FALSE(stage.verdicts.due(number));
    const auto came = stage.verdicts.came(number);
    REQUIRE(came);
    CHECK(came->in_time);
}

TEST_CASE("what was cancelled is told to the hook, inside a callback, and comes no more") {
    Stage stage;
    const auto token = stage.token();
    const uint64_t number = stage.verdicts.wait_for(token, What::connection, 5);
    struct Seen {
        const Core* core;
        bool inside = false;
    } seen{&stage.core};
    token->on_cancel(
        [](void* user) {
            auto& it = *static_cast<Seen*>(user);
            it.inside = CallbackScope::inside(*it.core);
        },
        &seen, nullptr);
    stage.verdicts.cancel(number);
    CHECK(seen.inside);
    CHECK(token->complete(Stage::allow()) == Status::cancelled);
    CHECK_FALSE(stage.verdicts.came(number));
    CHECK(stage.core.deferrals.load() == 0);
    stage.verdicts.cancel(number);
}

TEST_CASE("there are no more tokens than may wait") {
    Stage stage;
    std::vector<Ref<hooks::Deferral>> tokens;
    for (int i = 0; i < 3; ++i) stage.verdicts.wait_for(tokens.emplace_back(stage.token()), What::will, 0);
    CHECK_FALSE(stage.token());
    CHECK(stage.here.metrics().quota_exceeded.get() == 1);
    stage.verdicts.cancel(tokens[0]->number);
    CHECK(stage.token());
}

TEST_CASE("at the end all are cancelled") {
    Ref<hooks::Deferral> token;
    {
        Stage stage;
        token = stage.token();
        stage.verdicts.wait_for(token, What::inline_publish, 0, 1, hooks::test::make_box());
    }
    CHECK(token->state() == hooks::Deferral::State::cancelled);
}
