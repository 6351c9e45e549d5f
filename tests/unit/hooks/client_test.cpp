#include "hooks/client.hpp"

#include <doctest/doctest.h>

#include <string>

#include "stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using namespace comqtt::hooks::test;

namespace {

std::string dropped;  ///< names, in the order dropped

void drop(void* name) { dropped += static_cast<const char*>(name); }

}  // namespace

TEST_CASE("a client's user data is dropped when it is replaced and with the client") {
    dropped.clear();
    char a[] = "a", b[] = "b";
    {
        const auto client = make_client();
        CHECK(client->user_data() == nullptr);
        client->set_user_data(a, drop);
        CHECK(client->user_data() == a);
        CHECK(dropped.empty());
        client->set_user_data(b, drop);
        CHECK(client->user_data() == b);
        CHECK(dropped == "a");
    }
    CHECK(dropped == "ab");
}

TEST_CASE("user data is dropped once when it is taken away, and not at all without a drop") {
    dropped.clear();
    char a[] = "a", b[] = "b";
    {
        const auto client = make_client();
        client->set_user_data(a, drop);
        client->set_user_data(nullptr, nullptr);
        CHECK(dropped == "a");
        CHECK(client->user_data() == nullptr);
        client->set_user_data(b, nullptr);
        CHECK(client->user_data() == b);
    }
    CHECK(dropped == "a");
}

TEST_CASE("a drop may look at the client whose data it was") {
    const auto client = make_client();
    static Client* subject;
    static void* seen;
    subject = client.get();
    char a[] = "a", b[] = "b";
    client->set_user_data(a, [](void*) { seen = subject->user_data(); });
    client->set_user_data(b, nullptr);
    CHECK(seen == b);
}
