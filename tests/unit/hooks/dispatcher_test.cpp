#include "hooks/dispatcher.hpp"

#include <doctest/doctest.h>

#include "stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using namespace comqtt::hooks::test;

namespace {

constexpr EventMask kAcl = mask_of(EventId::on_acl_check);
constexpr EventMask kPublish = mask_of(EventId::on_publish);

/// A dispatcher that notes which hooks were called.
struct Stage {
    Dispatcher dispatcher;
    Ref<Client> client = make_client();
    Ref<PacketBox> box = make_box();
    Deferrals deferrals;
    std::string called;
    size_t position = 0;

    FakeHook& add(const std::string& name, EventMask mask = kAcl | kPublish) {
        auto hook = std::make_shared<FakeHook>(name, mask);
        FakeHook& added = *hook;
        REQUIRE(dispatcher.add(std::move(hook)));
        return added;
    }
    void add_verdict(const std::string& name, Verdict verdict) {
        add(name).acl = [=](Event&, Client&, std::string_view, Access) { return verdict; };
    }
    void add_action(const std::string& name, Action action) {
        add(name).publish = [=](Event&, Client&, PacketBox&) { return action; };
    }
    Verdict ask(Event& event) {
        called.clear();
        return dispatcher.ask(event, position, [&](Hook& hook) {
            called += hook.id();
            return hook.on_acl_check(event, *client, "a/b", Access::write);
        });
    }
    Verdict ask() {
        Event event(EventId::on_acl_check, 0, client.get(), nullptr, &deferrals);
        return ask(event);
    }
    Action act(Event& event) {
        called.clear();
        return dispatcher.act(event, position, [&](Hook& hook) {
            called += hook.id();
            return hook.on_publish(event, *client, *box);
        });
    }
    Action act() {
        Event event(EventId::on_publish, 0, client.get(), box.get(), &deferrals);
        return act(event);
    }
};

}  // namespace

TEST_CASE("hooks are asked in the order added until one has an opinion") {
    Stage stage;
    stage.add_verdict("a", Verdict::next);
    stage.add_verdict("b", Verdict::allow);
    stage.add_verdict("c", Verdict::deny);
    CHECK(stage.ask() == Verdict::allow);
    CHECK(stage.called == "ab");
    CHECK(stage.position == 2);
}

TEST_CASE("a question that no hook answers is denied") {
    Stage stage;
    CHECK(stage.ask() == Verdict::deny);
    stage.add_verdict("a", Verdict::next);
    stage.add_verdict("b", Verdict::next);
    CHECK(stage.ask() == Verdict::deny);
    CHECK(stage.called == "ab");
}

TEST_CASE("an action proceeds unless a hook says otherwise") {
    for (const Action answer : {Action::reject, Action::ignore, Action::fail, Action::pending}) {
        Stage stage;
        CHECK(stage.act() == Action::proceed);
        stage.add_action("a", Action::proceed);
        CHECK(stage.act() == Action::proceed);
        CHECK(stage.called == "a");
        stage.add_action("b", answer);
        stage.add_action("c", Action::proceed);
        stage.position = 0;
        CHECK(stage.act() == answer);
        CHECK(stage.called == "ab");
    }
}

TEST_CASE("what one hook changes the next one sees") {
    Stage stage;
    stage.add("a").publish = [](Event&, Client&, PacketBox& box) {
        box.packet.payload += "a";
        return Action::proceed;
    };
    stage.add("b").publish = [](Event&, Client&, PacketBox& box) {
        box.packet.payload += "b";
        return Action::ignore;
    };
    CHECK(stage.act() == Action::ignore);
    CHECK(stage.box->packet.payload == "ab");
}

TEST_CASE("a hook is called for the events it wants and the mask says what any of them wants") {
    Stage stage;
    CHECK(stage.dispatcher.mask() == 0);
    stage.add("a", kPublish);
    CHECK_FALSE(stage.dispatcher.wants(EventId::on_acl_check));
    stage.add("b", kAcl);
    stage.add("c", kAcl | kPublish);
    CHECK(stage.dispatcher.mask() == (kAcl | kPublish));
    stage.ask();
    CHECK(stage.called == "bc");
    std::string called;
    stage.dispatcher.each(EventId::on_publish, [&](Hook& hook) { called += hook.id(); });
    CHECK(called == "ac");
    stage.dispatcher.each(EventId::on_started, [&](Hook&) { FAIL("nobody wants it"); });
}

TEST_CASE("a hook that was removed is handed back, is not called, and its events are no longer wanted") {
    Stage stage;
    auto hook = std::make_shared<FakeHook>("a", kAcl);
    const auto handle = stage.dispatcher.add(hook);
    REQUIRE(handle);
    stage.add("b", kPublish);
    CHECK(stage.dispatcher.remove(*handle).hook.get() == hook.get());
    CHECK(stage.dispatcher.mask() == kPublish);
    stage.ask();
    CHECK(stage.called.empty());
    CHECK(stage.dispatcher.remove(*handle).hook == nullptr);
    CHECK(stage.dispatcher.list()->size() == 1);
}

TEST_CASE("a hook whose init fails is not added and the error names it") {
    Stage stage;
    auto hook = std::make_shared<FakeHook>("ledger", kAcl);
    hook->init_error = "no file";
    const auto added = stage.dispatcher.add(hook);
    REQUIRE_FALSE(added);
    CHECK(added.error().status == Status::config);
    CHECK(added.error().message == "hook 'ledger': no file");
    CHECK(stage.dispatcher.mask() == 0);
    CHECK(stage.dispatcher.list()->empty());
}

TEST_CASE("a callback that fails counts as NEXT or PROCEED, and the log says which hook it was") {
    std::vector<std::string> lines;
    const Log log(
        [&](LogLevel level, std::string_view, std::string_view line) {
            if (level == LogLevel::error) lines.emplace_back(line);
        },
        LogLevel::debug);
    Stage stage;
    stage.dispatcher.set_log(&log);
    FakeHook& broken = stage.add("broken");
    broken.acl = [](Event& event, Client&, std::string_view, Access) {
        event.fail("it broke");
        return Verdict::allow;
    };
    broken.publish = [](Event& event, Client&, PacketBox&) {
        event.fail("it broke");
        return Action::reject;
    };
    CHECK(stage.ask() == Verdict::deny);
    CHECK(lines ==
          std::vector<std::string>{"hook 'broken' failed in on_acl_check for client 'client': it broke"});
    stage.position = 0;
    CHECK(stage.act() == Action::fail);
    CHECK(lines.back() == "hook 'broken' failed in on_publish for client 'client': it broke");
    CHECK(stage.dispatcher.failures() == 2);

    stage.add_verdict("good", Verdict::allow);
    stage.position = 0;
    CHECK(stage.ask() == Verdict::deny);
    CHECK(stage.called == "broken");
    stage.dispatcher.set_on_failure(OnFailure::proceed);
    stage.position = 0;
    CHECK(stage.act() == Action::proceed);
    stage.position = 0;
    CHECK(stage.ask() == Verdict::allow);
    CHECK(stage.called == "brokengood");
}

TEST_CASE("a hook that fails over and over is logged ten times a second and counted each time") {
    size_t lines = 0;
    const Log log([&](LogLevel, std::string_view, std::string_view) { ++lines; }, LogLevel::error);
    Stage stage;
    stage.dispatcher.set_log(&log);
    stage.add("broken").acl = [](Event& event, Client&, std::string_view, Access) {
        event.fail("it broke");
        return Verdict::allow;
    };
    for (int i = 0; i < 100; ++i) {
        stage.position = 0;
        CHECK(stage.ask() == Verdict::deny);
    }
    CHECK(lines == 10);
    CHECK(stage.dispatcher.failures() == 100);
}

TEST_CASE("a chain that goes on after a hook in front of it was removed leaves none out") {
    Stage stage;
    const auto first = stage.dispatcher.add(std::make_shared<FakeHook>("a", kAcl));
    REQUIRE(first);
    stage.add_verdict("b", Verdict::pending);
    stage.add_verdict("c", Verdict::deny);
    stage.add_verdict("d", Verdict::allow);
    CHECK(stage.ask() == Verdict::pending);
    stage.dispatcher.remove(*first);
    CHECK(stage.ask() == Verdict::deny);
    CHECK(stage.called == "c");
}

TEST_CASE("a view goes on with the list it began with, and lets go of a removed hook when it is renewed") {
    Stage stage;
    HookView view;
    auto hook = std::make_shared<FakeHook>("a", kAcl);
    const std::weak_ptr<FakeHook> watched = hook;
    const auto handle = stage.dispatcher.add(std::move(hook));
    REQUIRE(handle);
    stage.add("b");
    std::string called;
    stage.dispatcher.each(view, EventId::on_acl_check, [&](Hook& each) {
        called += each.id();
        if (each.id() == "a") stage.dispatcher.end(stage.dispatcher.remove(*handle));
        stage.dispatcher.each(view, EventId::on_acl_check, [&](Hook& inner) { called += inner.id(); });
    });
    CHECK(called == "abbb");
    CHECK(watched.expired());
    called.clear();
    stage.dispatcher.each(view, EventId::on_acl_check, [&](Hook& each) { called += each.id(); });
    CHECK(called == "b");
}

TEST_CASE("after a PENDING answer the hooks behind the one that gave it are asked") {
    Stage stage;
    stage.add("skip", mask_of(EventId::on_started));
    stage.add_verdict("a", Verdict::next);
    stage.add_verdict("b", Verdict::pending);
    stage.add_verdict("c", Verdict::allow);
    CHECK(stage.ask() == Verdict::pending);
    CHECK(stage.called == "ab");
    CHECK(stage.ask() == Verdict::allow);
    CHECK(stage.called == "c");
    CHECK(stage.ask() == Verdict::deny);
    CHECK(stage.called.empty());
}

TEST_CASE("the reason is that of the hook that decided") {
    Stage stage;
    stage.add("a").acl = [](Event& event, Client&, std::string_view, Access) {
        event.set_reason(mqtt::Reason::quota_exceeded, "of a");
        return Verdict::next;
    };
    FakeHook& last = stage.add("b");
    last.acl = [](Event&, Client&, std::string_view, Access) { return Verdict::deny; };
    Event silent(EventId::on_acl_check, 0);
    CHECK(stage.ask(silent) == Verdict::deny);
    CHECK_FALSE(silent.has_reason());
    last.acl = [](Event& event, Client&, std::string_view, Access) {
        event.set_reason(mqtt::Reason::banned, "of b");
        return Verdict::deny;
    };
    Event talking(EventId::on_acl_check, 0);
    stage.position = 0;
    CHECK(stage.ask(talking) == Verdict::deny);
    CHECK(talking.reason() == mqtt::Reason::banned);
    CHECK(talking.reason_text() == "of b");
}

TEST_CASE("a denial because nobody answered has no hook's reason and holds for no other topic") {
    for (const bool fails : {false, true}) {
        Stage stage;
        stage.add("a").acl = [fails](Event& event, Client&, std::string_view, Access) {
            event.set_reason(mqtt::Reason::quota_exceeded, "of a");
            event.set_for_all_topics();
            if (fails) event.fail("on purpose");
            return Verdict::next;
        };
        Event event(EventId::on_acl_check, 0);
        CHECK(stage.ask(event) == Verdict::deny);
        CHECK_FALSE(event.has_reason());
        CHECK_FALSE(event.for_all_topics());
    }
}

TEST_CASE("a verdict for all topics is heeded from the first hook that is asked and from no other") {
    const auto for_all = [](Event& event, Client&, std::string_view, Access) {
        event.set_for_all_topics();
        return Verdict::allow;
    };
    Stage alone;
    alone.add("other event", kPublish);
    alone.add("a", kAcl).acl = for_all;
    Event first(EventId::on_acl_check, 0);
    CHECK(alone.ask(first) == Verdict::allow);
    CHECK(first.for_all_topics());

    Stage behind;
    behind.add_verdict("a", Verdict::next);
    behind.add("b").acl = for_all;
    Event second(EventId::on_acl_check, 0);
    CHECK(behind.ask(second) == Verdict::allow);
    CHECK_FALSE(second.for_all_topics());

    behind.position = 1;
    Event resumed(EventId::on_acl_check, 0);
    CHECK(behind.ask(resumed) == Verdict::allow);
    CHECK_FALSE(resumed.for_all_topics());
}

TEST_CASE("a token taken by a hook that does not answer PENDING is cancelled before the next hook") {
    Stage stage;
    stage.add("a").acl = [](Event& event, Client&, std::string_view, Access) {
        CHECK(event.defer() != nullptr);
        return Verdict::next;
    };
    stage.add("b").acl = [&](Event& event, Client&, std::string_view, Access) {
        CHECK_FALSE(event.deferred());
        CHECK(stage.deferrals.made.front()->state() == Deferral::State::cancelled);
        event.defer();
        return Verdict::pending;
    };
    Event event(EventId::on_acl_check, 0, stage.client.get(), nullptr, &stage.deferrals);
    CHECK(stage.ask(event) == Verdict::pending);
    REQUIRE(stage.deferrals.made.size() == 2);
    CHECK(event.take_deferral().get() == stage.deferrals.made.back().get());
    CHECK(stage.deferrals.made.back()->state() == Deferral::State::pending);
}

TEST_CASE("a hook may add and remove hooks while it is called, and the call under way goes on as it was") {
    Stage stage;
    const auto second = std::make_shared<FakeHook>("b", kAcl);
    uint64_t handle = 0;
    stage.add("a").acl = [&](Event&, Client&, std::string_view, Access) {
        stage.dispatcher.remove(handle);
        REQUIRE(stage.dispatcher.add(std::make_shared<FakeHook>("c", kAcl)));
        return Verdict::next;
    };
    handle = *stage.dispatcher.add(second);
    CHECK(stage.ask() == Verdict::deny);
    CHECK(stage.called == "ab");
    stage.position = 1;
    CHECK(stage.ask() == Verdict::deny);
    CHECK(stage.called == "c");
}
