#include "broker/topics_ahead.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"

using namespace comqtt;
using namespace comqtt::broker;

namespace {

using Bytes = std::vector<uint8_t>;

/// A read batch, and where its QoS 0 packets begin.
struct Batch {
    Bytes bytes;
    std::vector<size_t> starts;
    std::vector<std::string> topics;

    void add(const std::string& topic, const std::string& payload, uint8_t first = 0x30) {
        starts.push_back(bytes.size());
        topics.push_back(topic);
        ByteWriter writer(bytes);
        writer.u8(first);
        writer.varint(static_cast<uint32_t>(2 + topic.size() + (first & 6 ? 2 : 0) + payload.size()));
        writer.string(ByteView(topic));
        if (first & 6) writer.u16(1);
        writer.raw(ByteView(payload));
    }
};

/// Walks the batch as the read loop does; every hash must be that of the topic.
void check_walk(const Batch& batch, const RouteCache& routes, size_t ask_every) {
    const Bytes exact(batch.bytes.begin(), batch.bytes.end());
    TopicsAhead ahead(routes, exact.data(), exact.data() + exact.size());
    for (size_t i = 0; i < batch.starts.size(); i += ask_every) {
        const ByteView topic(batch.topics[i]);
        REQUIRE(ahead.hash_at(exact.data() + batch.starts[i], topic) == routes.hash_of(topic));
    }
}

}  // namespace

TEST_CASE("the hash of each packet's topic is the topic's own, whether it was looked at before or not") {
    RouteCache routes(1000, SIZE_MAX, 11);
    Batch batch;
    for (int i = 0; i < 100; ++i) batch.add("topic/" + std::to_string(i), "payload");
    for (const size_t ask_every : {1, 2, 3, 7, 8, 9, 20}) check_walk(batch, routes, ask_every);
    for (const std::string& topic : batch.topics)
        routes.make(ByteView(topic), routes.hash_of(ByteView(topic)));
    check_walk(batch, routes, 1);
}

TEST_CASE("packets of every size and kind in between do no harm") {
    support::Random random(2);
    const RouteCache routes(1000, SIZE_MAX, 11);
    for (int round = 0; round < 50; ++round) {
        Batch batch;
        for (int i = 0; i < 60; ++i) {
            const std::string topic =
                "t" + std::string(random.below(40), 'x') + std::to_string(random.below(5));
            const std::string payload(random.below(3) ? random.below(60) : random.below(300), 'p');
            constexpr uint8_t kFirst[] = {0x30, 0x30, 0x30, 0x31, 0x32, 0x3C};
            batch.add(topic, payload, kFirst[random.below(6)]);
        }
        check_walk(batch, routes, 1);
        check_walk(batch, routes, random.between(2, 12));
    }
}

TEST_CASE("a batch that ends inside a packet is read no further than its end") {
    const RouteCache routes(1000, SIZE_MAX, 11);
    Batch batch;
    for (int i = 0; i < 5; ++i) batch.add("topic/" + std::to_string(i), "payload");
    const size_t whole = batch.bytes.size();
    for (int i = 5; i < 9; ++i) {
        batch.add("topic/" + std::to_string(i), "payload");
        batch.starts.pop_back();
    }
    while (batch.bytes.size() > whole) {
        batch.bytes.pop_back();
        check_walk(batch, routes, 1);
    }
}

TEST_CASE("a topic length that is longer than its packet ends the look ahead") {
    const RouteCache routes(1000, SIZE_MAX, 11);
    Batch batch;
    batch.add("good", "payload");
    const size_t start = batch.bytes.size();
    for (const uint8_t byte : {0x30, 0x04, 0xFF, 0xFF, 0x61, 0x62}) batch.bytes.push_back(byte);
    const Bytes exact(batch.bytes.begin(), batch.bytes.end());
    TopicsAhead ahead(routes, exact.data(), exact.data() + exact.size());
    CHECK(ahead.hash_at(exact.data(), ByteView(batch.topics[0])) ==
          routes.hash_of(ByteView(batch.topics[0])));
    const ByteView asked(std::string_view("ab"));
    CHECK(ahead.hash_at(exact.data() + start, asked) == routes.hash_of(asked));
}
