#include "auth/allow_loopback.hpp"

#include <doctest/doctest.h>

#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using auth::AllowLoopback;
using auth::is_loopback_address;
using hooks::test::make_box;
using hooks::test::make_client;

namespace {

Verdict authenticate(AllowLoopback& hook, const std::string& remote, const std::string& listener) {
    const auto client = make_client();
    client->remote = remote;
    client->listener = listener;
    const auto box = make_box(mqtt::PacketType::connect);
    Event event(EventId::on_connect_authenticate, 0, client.get(), box.get());
    return hook.on_connect_authenticate(event, *client, *box);
}

Verdict check_acl(AllowLoopback& hook, const std::string& remote, const std::string& listener) {
    const auto client = make_client();
    client->remote = remote;
    client->listener = listener;
    Event event(EventId::on_acl_check, 0, client.get());
    const Verdict verdict = hook.on_acl_check(event, *client, "a/b", Access::write);
    CHECK(event.for_all_topics());
    return verdict;
}

}  // namespace

TEST_CASE("loopback addresses of both families are told from others") {
    for (const char* remote : {"127.0.0.1:1883", "127.255.0.9:1", "[::1]:1883", "[::ffff:127.0.0.1]:1883"}) {
        CAPTURE(remote);
        CHECK(is_loopback_address(remote));
    }
    for (const char* remote :
         {"", "unknown", "unix", "128.0.0.1:1", "12.7.0.1:1", "10.127.0.1:1", "0.0.0.0:1", "[::]:1",
          "[::2]:1", "[::11]:1", "[fe80::1]:1", "[::ffff:10.127.0.1]:1", "[2001:db8::1]:127"}) {
        CAPTURE(remote);
        CHECK_FALSE(is_loopback_address(remote));
    }
}

TEST_CASE("who comes from this machine is allowed and about others there is no opinion") {
    AllowLoopback hook([](std::string_view listener) { return listener == "local"; });
    for (const auto ask : {authenticate, check_acl}) {
        CHECK(ask(hook, "127.0.0.1:5000", "tcp") == Verdict::allow);
        CHECK(ask(hook, "[::1]:5000", "tcp") == Verdict::allow);
        CHECK(ask(hook, "192.0.2.1:5000", "tcp") == Verdict::next);
        CHECK(ask(hook, "unix", "local") == Verdict::allow);
        CHECK(ask(hook, "unix", "tcp") == Verdict::next);
    }
    CHECK(hook.events() == (mask_of(EventId::on_connect_authenticate) | mask_of(EventId::on_acl_check)));
}
