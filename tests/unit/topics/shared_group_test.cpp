#include <doctest/doctest.h>

#include <map>
#include <thread>

#include "topics/subscription_index.hpp"

using namespace comqtt;
using namespace comqtt::topics;

namespace {

SubscriberId id(uint64_t value) { return {value}; }

Ref<GroupRoster> group_of(const SubscriptionIndex& index, std::string_view topic) {
    Matches matches;
    index.match(topic, matches);
    return matches.groups.empty() ? Ref<GroupRoster>{} : matches.groups.front();
}

}  // namespace

TEST_SUITE("topics/shared") {
    TEST_CASE("members of a group are picked in turn, equally often") {
        SubscriptionIndex index;
        for (uint64_t i = 1; i <= 5; ++i) index.subscribe("t", "g", id(i), {});
        auto group = group_of(index, "t");
        REQUIRE(group);
        CHECK(group->size() == 5);
        std::map<uint64_t, int> picks;
        for (int i = 0; i < 1000; ++i) ++picks[group->pick()->subscriber.value];
        for (uint64_t i = 1; i <= 5; ++i) CHECK(picks[i] == 200);
    }

    TEST_CASE("offline members are passed over and do not favour the one after them") {
        SubscriptionIndex index;
        for (uint64_t i = 1; i <= 6; ++i) index.subscribe("t/+", "g", id(i), {});
        for (uint64_t i : {1, 2, 5}) index.set_online("t/+", "g", id(i), false);
        auto group = group_of(index, "t/x");
        std::map<uint64_t, int> picks;
        for (int i = 0; i < 300; ++i) ++picks[group->pick()->subscriber.value];
        CHECK(picks == std::map<uint64_t, int>{{3, 100}, {4, 100}, {6, 100}});
    }

    TEST_CASE("a member that goes offline is seen by routes that hold the group, without a new epoch") {
        SubscriptionIndex index;
        index.subscribe("t", "g", id(1), {});
        index.subscribe("t", "g", id(2), {});
        auto epoch = index.epoch("t");
        auto group = group_of(index, "t");
        index.set_online("t", "g", id(1), false);
        CHECK(index.is_current(epoch));
        for (int i = 0; i < 10; ++i) CHECK(group->pick()->subscriber == id(2));
        index.set_online("t", "g", id(1), true);
        std::map<uint64_t, int> picks;
        for (int i = 0; i < 10; ++i) ++picks[group->pick()->subscriber.value];
        CHECK(picks[1] == 5);
    }

    TEST_CASE("an offline member is picked only when none is online, in turn too") {
        SubscriptionIndex index;
        for (uint64_t i = 1; i <= 3; ++i) {
            index.subscribe("t", "g", id(i), {});
            index.set_online("t", "g", id(i), false);
        }
        auto group = group_of(index, "t");
        std::map<uint64_t, int> picks;
        for (int i = 0; i < 30; ++i) ++picks[group->pick()->subscriber.value];
        CHECK(picks == std::map<uint64_t, int>{{1, 10}, {2, 10}, {3, 10}});
    }

    TEST_CASE("a second try passes over the member that could not take the message") {
        SubscriptionIndex index;
        index.subscribe("t", "g", id(1), {});
        auto alone = group_of(index, "t");
        CHECK(alone->pick(id(1)) == nullptr);
        index.subscribe("t", "g", id(2), {});
        auto group = group_of(index, "t");
        for (int i = 0; i < 5; ++i) CHECK(group->pick(id(1))->subscriber == id(2));
        index.set_online("t", "g", id(2), false);
        CHECK(group->pick(id(1))->subscriber == id(2));
    }

    TEST_CASE("groups of different names and plain subscribers on one filter are independent") {
        SubscriptionIndex index;
        index.subscribe("t", "g", id(1), {});
        index.subscribe("t", "h", id(1), {});
        index.subscribe("t", "", id(1), {});
        Matches matches;
        index.match("t", matches);
        CHECK(matches.plain.size() == 1);
        CHECK(matches.groups.size() == 2);
        index.unsubscribe("t", "g", id(1));
        index.match("t", matches);
        REQUIRE(matches.groups.size() == 1);
        CHECK(matches.groups[0]->share_name == "h");
    }

    TEST_CASE("members keep their order of joining, also when one replaces its options") {
        SubscriptionIndex index;
        for (uint64_t i : {7, 3, 9, 1}) index.subscribe("t", "g", id(i), {});
        index.set_online("t", "g", id(9), false);
        index.unsubscribe("t", "g", id(3));
        SubscriptionOptions options;
        options.qos = 2;
        CHECK(index.subscribe("t", "g", id(9), options).existed);
        index.subscribe("t", "g", id(3), {});
        auto group = group_of(index, "t");
        REQUIRE(group->size() == 4);
        const uint64_t expected[] = {7, 9, 1, 3};
        const auto members = group->members();
        for (size_t i = 0; i < 4; ++i) CHECK(members[i]->subscriber == id(expected[i]));
        CHECK(int{members[1]->options.qos} == 2);
        CHECK_FALSE(members[1]->online);
    }

    TEST_CASE("routes that hold a group go on in its turn when it has more members") {
        SubscriptionIndex index;
        for (uint64_t i = 1; i <= 3; ++i) index.subscribe("t", "g", id(i), {});
        CHECK(group_of(index, "t")->pick()->subscriber == id(1));
        for (uint64_t i = 4; i <= 100; ++i) index.subscribe("t", "g", id(i), {});
        for (uint64_t i = 2; i <= 100; ++i) CHECK(group_of(index, "t")->pick()->subscriber == id(i));
        CHECK(group_of(index, "t")->pick()->subscriber == id(1));
    }

    TEST_CASE("a group that is still held has no member when all have left") {
        SubscriptionIndex index;
        index.subscribe("t", "g", id(1), {});
        index.subscribe("t", "g", id(2), {});
        const auto group = group_of(index, "t");
        index.unsubscribe("t", "g", id(1));
        CHECK(group->pick()->subscriber == id(2));
        index.unsubscribe("t", "g", id(2));
        CHECK(group->pick() == nullptr);
        CHECK(group->members().empty());
    }

    TEST_CASE("members that come and go again and again leave the others as they are") {
        SubscriptionIndex index;
        for (uint64_t i = 1; i <= 5; ++i) index.subscribe("t", "g", id(i), {});
        index.set_online("t", "g", id(4), false);
        for (uint64_t i = 100; i < 1100; ++i) {
            index.subscribe("t", "g", id(i), {});
            SubscriptionOptions options;
            options.qos = i % 3;
            index.subscribe("t", "g", id(2), options);
            index.unsubscribe("t", "g", id(i));
        }
        const auto group = group_of(index, "t");
        CHECK(group->size() == 5);
        std::map<uint64_t, int> picks;
        for (int i = 0; i < 400; ++i) ++picks[group->pick()->subscriber.value];
        CHECK(picks == std::map<uint64_t, int>{{1, 100}, {2, 100}, {3, 100}, {5, 100}});
    }

    TEST_CASE("picks by several threads at once are spread evenly") {
        SubscriptionIndex index;
        for (uint64_t i = 1; i <= 4; ++i) index.subscribe("t", "g", id(i), {});
        auto group = group_of(index, "t");
        std::map<uint64_t, int> picks[2];
        auto run = [&](int which) {
            for (int i = 0; i < 4000; ++i) ++picks[which][group->pick()->subscriber.value];
        };
        std::thread other(run, 1);
        run(0);
        other.join();
        for (uint64_t i = 1; i <= 4; ++i) CHECK(picks[0][i] + picks[1][i] == 2000);
    }
}
