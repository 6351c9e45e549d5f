#include "session/flow.hpp"

#include <doctest/doctest.h>

#include <string>

#include "deliveries.hpp"

using namespace comqtt;
using namespace comqtt::session;
using namespace comqtt::session::test;

TEST_CASE("messages that wait to be sent again are not outstanding on this connection") {
    Flow flow;
    for (int i = 0; i < 5; ++i) flow.inflight.push(delivery());
    CHECK(flow.outstanding() == 5);
    for (const mqtt::PacketId id : {1, 2, 3}) flow.resend.push_back(id);
    CHECK(flow.outstanding() == 2);
    flow.resend.pop_front();
    CHECK(flow.outstanding() == 3);
}

TEST_CASE("a flow is idle when nothing is in flight, queued or half received") {
    Flow flow;
    CHECK(flow.idle());
    const mqtt::PacketId id = flow.inflight.push(delivery());
    CHECK_FALSE(flow.idle());
    flow.inflight.finish(id);
    CHECK(flow.idle());
    flow.queue.push(delivery());
    CHECK_FALSE(flow.idle());
    flow.queue.pop_front();
    CHECK(flow.idle());
    flow.received.add(3);
    CHECK_FALSE(flow.idle());
    flow.received.remove(3);
    CHECK(flow.idle());
}
