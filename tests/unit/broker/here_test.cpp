#include "broker/here.hpp"

#include <doctest/doctest.h>

#include "broker_stage.hpp"
#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;
using hooks::test::FakeHook;

namespace {

constexpr hooks::EventMask kPublish = hooks::mask_of(EventId::on_publish);

struct Stage : CoreStage {
    Stage() : here(core, 0) {}
    FakeHook& add(hooks::EventMask mask) {
        auto hook = std::make_shared<FakeHook>("h", mask);
        FakeHook& added = *hook;
        REQUIRE(core.hooks.add(std::move(hook)));
        return added;
    }
    bool notify(EventId id) {
        return here.notify(id, nullptr, nullptr,
                           [](hooks::Hook&, hooks::Event& event) { event.fail("broken"); });
    }
    Here here;
};

}  // namespace

TEST_CASE("the time is that of the round until the clock is read again") {
    Stage stage;
    CHECK(stage.here.now_ms() == 0);
    stage.clock->set(5);
    CHECK(stage.here.now_ms() == 0);
    stage.here.read_clock();
    CHECK(stage.here.now_ms() == 5);
    CHECK(stage.here.wall_ms() == ManualClock::kStartWallMs + 5);
}

TEST_CASE("what the wall clock showed before it was corrected is known as a time of the monotonic one") {
    Stage stage;
    const int64_t before = stage.here.wall_ms();
    stage.clock->set(10'000);
    stage.clock->correct_wall(86'400'000);
    stage.here.read_clock();
    CHECK(stage.here.monotonic_of(before) == 0);
    CHECK(stage.here.monotonic_of(stage.here.wall_ms()) == 10'000);
}

TEST_CASE(
    "a hook that fails refuses the event, unless failures are passed over; an event that nobody wants goes "
    "on") {
    Stage stage;
    stage.add(kPublish);
    CHECK(stage.here.wants(EventId::on_publish));
    CHECK_FALSE(stage.here.wants(EventId::on_connect));
    CHECK(stage.notify(EventId::on_publish));
    CHECK_FALSE(stage.notify(EventId::on_connect));
    stage.core.hooks.set_on_failure(hooks::OnFailure::proceed);
    CHECK_FALSE(stage.notify(EventId::on_publish));
    CHECK(stage.core.hooks.failures() == 2);
}

TEST_CASE("a thread is inside a callback of this broker while a hook runs, and of no other") {
    Stage stage, other;
    stage.add(kPublish);
    CHECK_FALSE(CallbackScope::inside(stage.core));
    bool seen = false;
    stage.here.each(EventId::on_publish, [&](hooks::Hook&) {
        seen = CallbackScope::inside(stage.core) && !CallbackScope::inside(other.core);
        const CallbackScope nested(other.here);
        seen = seen && CallbackScope::inside(other.core);
    });
    CHECK(seen);
    CHECK_FALSE(CallbackScope::inside(stage.core));
}

TEST_CASE("hooks are asked in order until one answers") {
    Stage stage;
    stage.add(kPublish).publish = [](hooks::Event&, hooks::Client&, PacketBox&) {
        return hooks::Action::proceed;
    };
    stage.add(kPublish).publish = [](hooks::Event&, hooks::Client&, PacketBox&) {
        return hooks::Action::reject;
    };
    const auto client = hooks::test::make_client();
    const auto box = hooks::test::make_box();
    hooks::Event event(EventId::on_publish, 0, client.get(), box.get());
    size_t position = 0;
    CHECK(stage.here.act(event, position, [&](hooks::Hook& hook) {
        return hook.on_publish(event, *client, *box);
    }) == hooks::Action::reject);
    CHECK(position == 2);
}

TEST_CASE("a packet that hooks made into one that no client may send is not sound") {
    Stage stage;
    const auto box = hooks::test::make_box();
    box->packet.topic_name = "a/b";
    CHECK(stage.here.sound(*box, EventId::on_publish));
    box->packet.topic_name = "a/#";
    CHECK(stage.here.sound(*box,
                           EventId::on_publish));  // nobody has edited it: it was looked at as it was read
    box->edited = true;
    CHECK_FALSE(stage.here.sound(*box, EventId::on_publish));
}
