#include "hooks/selection.hpp"

#include <doctest/doctest.h>

using comqtt::hooks::SelectedReceiver;
using comqtt::hooks::Selection;

namespace {

SelectedReceiver receiver(const char* client_id, uint8_t qos, bool chosen, bool shared = false) {
    SelectedReceiver made;
    made.client_id = client_id;
    made.filter = "t";
    made.qos = qos;
    made.chosen = chosen;
    made.shared = shared;
    made.subscriber = 77;
    return made;
}

}  // namespace

TEST_CASE("a client without a subscription is added as a receiver of its own") {
    Selection selection;
    selection.receivers.push_back(receiver("a", 1, true));
    selection.add("b", 2);
    REQUIRE(selection.receivers.size() == 2);
    const SelectedReceiver& added = selection.receivers.back();
    CHECK(added.client_id == "b");
    CHECK(added.chosen);
    CHECK_FALSE(added.shared);
    CHECK(int(added.qos) == 2);
    CHECK(added.subscriber == 0);
    CHECK(added.filter.empty());
}

TEST_CASE("a client that receives already keeps the greater QoS and receives once") {
    for (const int there : {0, 1, 2})
        for (const int added : {0, 1, 2}) {
            Selection selection;
            selection.receivers.push_back(receiver("a", static_cast<uint8_t>(there), true));
            selection.add("a", static_cast<uint8_t>(added));
            REQUIRE(selection.receivers.size() == 1);
            CHECK(int(selection.receivers[0].qos) == (there > added ? there : added));
            CHECK(selection.receivers[0].subscriber == 77);
        }
}

TEST_CASE("a client that was deselected receives again, with the QoS it is added with") {
    Selection selection;
    selection.receivers.push_back(receiver("a", 2, false));
    selection.add("a", 0);
    REQUIRE(selection.receivers.size() == 1);
    CHECK(selection.receivers[0].chosen);
    CHECK(int(selection.receivers[0].qos) == 0);
}

TEST_CASE("being a member of a shared group does not count as receiving") {
    Selection selection;
    selection.receivers.push_back(receiver("a", 1, true, true));
    selection.add("a", 0);
    REQUIRE(selection.receivers.size() == 2);
    CHECK(selection.receivers[0].shared);
    CHECK(int(selection.receivers[0].qos) == 1);
    CHECK_FALSE(selection.receivers[1].shared);
}
