#include "session/queue.hpp"

#include <doctest/doctest.h>

#include <string>

#include "deliveries.hpp"

using namespace comqtt;
using namespace comqtt::session;
using namespace comqtt::session::test;

namespace {

std::string contents(Queue& queue) {
    std::string text;
    queue.each([&](Delivery& delivery) { text += payload_of(delivery) + ' '; });
    return text;
}

std::string expired(Queue& queue, int64_t now_ms) {
    std::string text;
    Delivery delivery;
    while (queue.take_expired(now_ms, delivery)) text += payload_of(delivery) + ' ';
    return text;
}

}  // namespace

TEST_CASE("a queue knows the bytes it holds and how many of its messages are QoS 0") {
    Queue queue;
    const Delivery small = delivery("a", 0);
    const Delivery large = delivery(std::string(1000, 'b'), 1);
    const Delivery other = delivery("cc", 0);
    queue.push(small);
    queue.push(large);
    queue.push(other);
    CHECK(queue.bytes() ==
          small.message->footprint() + large.message->footprint() + other.message->footprint());
    CHECK(queue.bytes() > 1000);
    CHECK(queue.qos0() == 2);
    CHECK(queue.size() == 3);

    CHECK(payload_of(queue.pop_front()) == "a");
    CHECK(queue.bytes() == large.message->footprint() + other.message->footprint());
    CHECK(queue.qos0() == 1);

    CHECK(payload_of(queue.pop_back()) == "cc");
    CHECK(queue.bytes() == large.message->footprint());
    CHECK(queue.qos0() == 0);

    CHECK(queue.pop_front().qos == 1);
    CHECK(queue.bytes() == 0);
    CHECK(queue.empty());
}

TEST_CASE("messages of a queue expire wherever they stand, the earliest first") {
    Queue queue;
    queue.push(delivery("stays"));
    queue.push(delivery("third"), 300);
    queue.push(delivery("first"), 100);
    queue.push(delivery("stays too"));
    queue.push(delivery("second"), 200);
    CHECK(queue.next_due_ms() == 100);
    CHECK(expired(queue, 99) == "");
    CHECK(expired(queue, 250) == "first second ");
    CHECK(contents(queue) == "stays third stays too ");
    CHECK(queue.size() == 3);
    CHECK(payload_of(queue.pop_front()) == "stays");
    CHECK(payload_of(queue.front()) == "third");
    CHECK(expired(queue, 300) == "third ");
    CHECK(payload_of(queue.front()) == "stays too");
    CHECK(expired(queue, INT64_MAX - 1) == "");
    queue.pop_front();
    CHECK(queue.empty());
    CHECK(queue.bytes() == 0);
    CHECK(queue.next_due_ms() == INT64_MAX);
}

TEST_CASE("a message that left its queue does not expire any more") {
    Queue queue;
    queue.push(delivery("first"), 100);
    queue.push(delivery("second"), 100);
    queue.push(delivery("third"), 100);
    queue.push(delivery("fourth"));
    queue.pop_front();
    queue.remove_if([](Delivery& one) { return payload_of(one) == "third"; });
    CHECK(contents(queue) == "second fourth ");
    CHECK(expired(queue, 100) == "second ");
    CHECK(contents(queue) == "fourth ");
}

TEST_CASE("expired messages behind one that stays leave no places behind") {
    Queue queue;
    queue.push(delivery("stays"));
    for (int64_t i = 0; i < 100'000; ++i) {
        queue.push(delivery("passes"), i + 10);
        if (i >= 10) CHECK(expired(queue, i) == "passes ");
    }
    CHECK(queue.size() == 11);
    CHECK(queue.places() < 200);
    CHECK(payload_of(queue.pop_front()) == "stays");
    CHECK(expired(queue, INT64_MAX - 1).size() == 10 * 7);
    CHECK(queue.empty());
    CHECK(queue.places() == 0);
}

TEST_CASE("messages that are delivered before they expire leave nothing behind") {
    Queue queue;
    queue.push(delivery("stays"));
    for (int64_t i = 0; i < 10'000; ++i) {
        queue.push(delivery("passes"), 1'000'000 + i);
        queue.pop_back();
    }
    CHECK(queue.expiries() < 200);
}
