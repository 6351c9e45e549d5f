#include "hooks/event.hpp"

#include <doctest/doctest.h>

#include <set>

#include "stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using namespace comqtt::hooks::test;

TEST_CASE("every event has a name and a bit of its own") {
    std::set<std::string> names;
    EventMask all = 0;
    for (unsigned i = 0; i < static_cast<unsigned>(EventId::count); ++i) {
        const auto id = static_cast<EventId>(i);
        CHECK(names.insert(event_name(id)).second);
        CHECK((all & mask_of(id)) == 0);
        all |= mask_of(id);
    }
    CHECK(names.count("on_acl_check") == 1);
    CHECK(std::string(event_name(EventId::on_started)) == "on_started");
    CHECK(std::string(event_name(EventId::stored_retained_by_topic)) == "stored_retained_by_topic");
    CHECK(std::string(event_name(EventId::count)) == "unknown");
}

TEST_CASE("an event gives the same token however often it is asked for one") {
    const auto client = make_client();
    const auto box = make_box();
    Deferrals deferrals;
    Event event(EventId::on_publish, 5, client.get(), box.get(), &deferrals);
    CHECK_FALSE(event.deferred());
    Deferral* token = event.defer();
    REQUIRE(token);
    CHECK(event.defer() == token);
    CHECK(event.deferred());
    CHECK(deferrals.made.size() == 1);
    CHECK(&token->client() == client.get());
    CHECK(token->packet() == box.get());
}

TEST_CASE("there is no token for an event that cannot wait, nor when too many wait already") {
    const auto client = make_client();
    Deferrals deferrals;
    Event notify(EventId::on_started, 0);
    CHECK(notify.defer() == nullptr);
    Event sourceless(EventId::on_acl_check, 0, client.get());
    CHECK(sourceless.defer() == nullptr);
    Event clientless(EventId::on_acl_check, 0, nullptr, nullptr, &deferrals);
    CHECK(clientless.defer() == nullptr);
    deferrals.limit = 0;
    Event full(EventId::on_acl_check, 0, client.get(), nullptr, &deferrals);
    CHECK(full.defer() == nullptr);
    CHECK_FALSE(full.deferred());
}

TEST_CASE("a token that the broker does not take is cancelled with its event, one that it takes is not") {
    const auto client = make_client();
    Deferrals deferrals;
    Ref<Deferral> taken;
    {
        Event left(EventId::on_acl_check, 0, client.get(), nullptr, &deferrals);
        left.defer();
        Event used(EventId::on_acl_check, 0, client.get(), nullptr, &deferrals);
        used.defer();
        taken = used.take_deferral();
        CHECK_FALSE(used.deferred());
        CHECK_FALSE(used.take_deferral());
    }
    CHECK(deferrals.made.at(0)->state() == Deferral::State::cancelled);
    CHECK(deferrals.made.at(1)->state() == Deferral::State::pending);
    CHECK(taken.get() == deferrals.made.at(1).get());
}

TEST_CASE("resetting an event forgets everything that a hook said") {
    const auto client = make_client();
    Deferrals deferrals;
    Event event(EventId::on_acl_check, 123, client.get(), nullptr, &deferrals);
    event.set_reason(mqtt::Reason::banned, "text");
    event.set_for_all_topics();
    event.fail("failed");
    event.defer();
    event.reset();
    CHECK_FALSE(event.has_reason());
    CHECK(event.reason() == mqtt::Reason::success);
    CHECK(event.reason_text().empty());
    CHECK_FALSE(event.for_all_topics());
    CHECK_FALSE(event.failed());
    CHECK(event.failure().empty());
    CHECK_FALSE(event.deferred());
    CHECK(deferrals.made.front()->state() == Deferral::State::cancelled);
    CHECK(event.time_ms() == 123);
    CHECK(event.id() == EventId::on_acl_check);
}
