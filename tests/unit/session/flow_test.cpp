#include "session/flow.hpp"

#include <doctest/doctest.h>

#include <string>

#include "deliveries.hpp"

using namespace comqtt;
using namespace comqtt::session;
using namespace comqtt::session::test;

TEST_CASE("the queue knows the bytes it holds and how many of its messages are QoS 0") {
    Flow flow;
    const Delivery small = delivery("a", 0);
    const Delivery large = delivery(std::string(1000, 'b'), 1);
    const Delivery other = delivery("cc", 0);
    flow.enqueue(small);
    flow.enqueue(large);
    flow.enqueue(other);
    CHECK(flow.queued_bytes ==
          small.message->footprint() + large.message->footprint() + other.message->footprint());
    CHECK(flow.queued_bytes > 1000);
    CHECK(flow.queued_qos0 == 2);

    CHECK(payload_of(flow.pop_front()) == "a");
    CHECK(flow.queued_bytes == large.message->footprint() + other.message->footprint());
    CHECK(flow.queued_qos0 == 1);

    CHECK(payload_of(flow.pop_back()) == "cc");
    CHECK(flow.queued_bytes == large.message->footprint());
    CHECK(flow.queued_qos0 == 0);

    CHECK(flow.pop_front().qos == 1);
    CHECK(flow.queued_bytes == 0);
    CHECK(flow.queue.empty());
}

TEST_CASE("messages that wait to be sent again are not outstanding on this connection") {
    Flow flow;
    for (int i = 0; i < 5; ++i) flow.inflight.push(delivery());
    CHECK(flow.outstanding() == 5);
    flow.resend = {1, 2, 3};
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
    flow.enqueue(delivery());
    CHECK_FALSE(flow.idle());
    flow.pop_front();
    CHECK(flow.idle());
    flow.received.add(3);
    CHECK_FALSE(flow.idle());
    flow.received.remove(3);
    CHECK(flow.idle());
}
