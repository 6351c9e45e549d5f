#include "session/received_ids.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/random.hpp"

using namespace comqtt;
using session::ReceivedIds;

TEST_CASE("an identifier is new once, until it is removed") {
    ReceivedIds ids;
    CHECK_FALSE(ids.contains(7));
    CHECK(ids.add(7));
    CHECK_FALSE(ids.add(7));
    CHECK(ids.contains(7));
    CHECK(ids.count() == 1);
    CHECK(ids.remove(7));
    CHECK_FALSE(ids.remove(7));
    CHECK_FALSE(ids.contains(7));
    CHECK(ids.add(7));
}

TEST_CASE("removing what is not there changes nothing, whether smaller, between or greater") {
    ReceivedIds ids;
    CHECK_FALSE(ids.remove(1));
    for (const mqtt::PacketId id : {30, 10, 20}) ids.add(id);
    for (const mqtt::PacketId id : {1, 15, 65535}) CHECK_FALSE(ids.remove(id));
    CHECK(ids.all() == std::vector<mqtt::PacketId>{10, 20, 30});
}

TEST_CASE("identifiers in any order agree with a set") {
    support::Random random(1);
    ReceivedIds ids;
    std::set<mqtt::PacketId> model;
    for (int i = 0; i < 20'000; ++i) {
        const auto id = static_cast<mqtt::PacketId>(random.between(1, 300));
        if (random.chance(50))
            REQUIRE(ids.add(id) == model.insert(id).second);
        else
            REQUIRE(ids.remove(id) == (model.erase(id) != 0));
        REQUIRE(ids.count() == model.size());
        REQUIRE(ids.contains(id) == (model.count(id) != 0));
    }
    CHECK(ids.all() == std::vector<mqtt::PacketId>(model.begin(), model.end()));
}
