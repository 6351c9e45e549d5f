#include "broker/subscriptions.hpp"

#include <doctest/doctest.h>

#include <set>

using comqtt::broker::Subscriptions;
using comqtt::topics::SubscriptionOptions;

namespace {

SubscriptionOptions qos(unsigned value) {
    SubscriptionOptions options;
    options.qos = value & 3;
    options.identifier = value + 10;
    return options;
}

}  // namespace

TEST_CASE("a session without subscriptions holds nothing and can be asked everything") {
    Subscriptions subscriptions;
    CHECK(sizeof subscriptions == sizeof(void*));
    CHECK(subscriptions.size() == 0);
    CHECK_FALSE(subscriptions.contains("a"));
    CHECK(subscriptions.find("a") == nullptr);
    CHECK_FALSE(subscriptions.erase("a"));
    CHECK(subscriptions.take().empty());
    subscriptions.each([](const std::string&, const SubscriptionOptions&) { FAIL("there is none"); });
}

TEST_CASE("subscribing again to a filter replaces its options [MQTT-3.8.4-3]") {
    Subscriptions subscriptions;
    CHECK(subscriptions.put("a/#", qos(1)));
    CHECK(subscriptions.put("$share/g/a/#", qos(0)));
    CHECK_FALSE(subscriptions.put("a/#", qos(2)));
    CHECK(subscriptions.size() == 2);
    REQUIRE(subscriptions.find("a/#"));
    CHECK(subscriptions.find("a/#")->qos == 2);
    CHECK(subscriptions.find("a/#")->identifier == 12);
    CHECK(subscriptions.find("$share/g/a/#")->qos == 0);
}

TEST_CASE("what is erased is gone and the others stay") {
    Subscriptions subscriptions;
    subscriptions.put("a", qos(0));
    subscriptions.put("b", qos(1));
    CHECK(subscriptions.erase("a"));
    CHECK_FALSE(subscriptions.erase("a"));
    CHECK_FALSE(subscriptions.contains("a"));
    CHECK(subscriptions.contains("b"));
    CHECK(subscriptions.put("a", qos(0)));
}

TEST_CASE("taking gives every subscription away once") {
    Subscriptions subscriptions;
    for (const char* filter : {"a", "b", "c"}) subscriptions.put(filter, qos(1));
    std::set<std::string> seen;
    subscriptions.each([&](const std::string& filter, const SubscriptionOptions&) { seen.insert(filter); });
    CHECK(seen == std::set<std::string>{"a", "b", "c"});
    const Subscriptions::Map taken = subscriptions.take();
    CHECK(taken.size() == 3);
    CHECK(taken.at("b").qos == 1);
    CHECK(subscriptions.size() == 0);
    CHECK(subscriptions.put("a", qos(2)));
}
