#include "auth/allow_all.hpp"

#include <doctest/doctest.h>

#include "hooks/dispatcher.hpp"
#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using hooks::test::make_box;
using hooks::test::make_client;

TEST_CASE("everyone may connect and use every topic, and is asked about once") {
    Dispatcher dispatcher;
    REQUIRE(dispatcher.add(std::make_shared<auth::AllowAll>()));
    CHECK(dispatcher.mask() == (mask_of(EventId::on_connect_authenticate) | mask_of(EventId::on_acl_check)));
    const auto client = make_client();
    client->remote = "192.0.2.1:5000";
    const auto box = make_box(mqtt::PacketType::connect);
    Event connect(EventId::on_connect_authenticate, 0, client.get(), box.get());
    size_t position = 0;
    CHECK(dispatcher.ask(connect, position, [&](Hook& hook) {
        return hook.on_connect_authenticate(connect, *client, *box);
    }) == Verdict::allow);
    for (const Access access : {Access::read, Access::write}) {
        Event acl(EventId::on_acl_check, 0, client.get());
        position = 0;
        CHECK(dispatcher.ask(acl, position, [&](Hook& hook) {
            return hook.on_acl_check(acl, *client, "a/b", access);
        }) == Verdict::allow);
        CHECK(acl.for_all_topics());
    }
}
