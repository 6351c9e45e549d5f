#include "broker/outboxes.hpp"

#include <doctest/doctest.h>

#include <string>

#include "broker_stage.hpp"
#include "fakes.hpp"
#include "mqtt/packet.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;

namespace {

constexpr Source kPublisher{77, 0};

struct Stage : CoreStage {
    explicit Stage(size_t most = 1 << 20)
        : CoreStage(3, with([=](Limits& limits) { limits.handover_bytes = most; })),
          here(core, 0),
          outboxes(here) {}
    std::vector<MailBatch> arrived(unsigned shard) { return core.mailboxes[shard]->take(SIZE_MAX); }

    Here here;
    Outboxes outboxes;
};

std::vector<uint8_t> publish(std::string topic, std::string payload) {
    mqtt::Packet packet;
    packet.type = mqtt::PacketType::publish;
    packet.topic_name = std::move(topic);
    packet.payload = std::move(payload);
    std::vector<uint8_t> bytes;
    REQUIRE(mqtt::encode_packet(packet, bytes));
    return bytes;
}

struct OneRun : Run {
    OneRun(const std::vector<uint8_t>& bytes, uint64_t connection) {
        packets = ByteView(bytes);
        count = 1;
        publisher = 5;
        origin_id = ByteView(std::string_view("the publisher"));
        source = {connection, 0};
    }
};

}  // namespace

TEST_CASE("each other shard gets one batch, in the order of what was put in") {
    Stage stage;
    stage.outboxes.message(1, make_message("first"), kPublisher);
    stage.outboxes.message(2, make_message("elsewhere"), kPublisher);
    topics::SubscriberId target;
    target.value = uint64_t{1} << 56 | 9;
    stage.outboxes.targeted(target, make_message("second"), kPublisher);
    CHECK(stage.arrived(1).empty());
    stage.outboxes.flush();
    const auto batches = stage.arrived(1);
    REQUIRE(batches.size() == 1);
    CHECK(batches[0].from == 0);
    REQUIRE(batches[0].mails.size() == 2);
    CHECK(batches[0].mails[0].kind == Mail::Kind::message);
    CHECK(batches[0].mails[0].message->payload().text() == "first");
    CHECK(batches[0].mails[0].source.connection == 77);
    CHECK(batches[0].mails[1].kind == Mail::Kind::targeted);
    CHECK(batches[0].mails[1].target.value == target.value);
    CHECK(batches[0].mails[1].message->payload().text() == "second");
    CHECK(batches[0].footprint ==
          batches[0].mails[0].message->footprint() + batches[0].mails[1].message->footprint());
    CHECK(stage.arrived(2).size() == 1);
    CHECK(stage.arrived(0).empty());
    stage.outboxes.flush();
    CHECK(stage.arrived(1).empty());
}

TEST_CASE("the bytes of a run are copied") {
    Stage stage;
    auto bytes = publish("a/b", "payload");
    const auto kept = bytes;
    stage.outboxes.run(1, OneRun(bytes, 77));
    std::fill(bytes.begin(), bytes.end(), 0xEE);
    stage.outboxes.flush();
    const auto batches = stage.arrived(1);
    REQUIRE(batches.size() == 1);
    REQUIRE(batches[0].mails.size() == 1);
    const Mail& mail = batches[0].mails[0];
    const ByteView held(batches[0].bytes);
    CHECK(held.subview(mail.offset, mail.size) == ByteView(kept));
    CHECK(held.subview(mail.offset - mail.origin_size, mail.origin_size).text() == "the publisher");
    CHECK(mail.count == 1);
    CHECK(mail.one_topic);
}

TEST_CASE("what one connection publishes in a row is one mail, which knows whether its topic is the same") {
    Stage stage;
    const auto first = publish("a", "1"), same = publish("a", "2"), other = publish("b", "3");
    stage.outboxes.run(1, OneRun(first, 77));
    stage.outboxes.run(1, OneRun(same, 77));
    stage.outboxes.run(1, OneRun(first, 78));
    stage.outboxes.run(1, OneRun(other, 78));
    stage.outboxes.flush();
    const auto batches = stage.arrived(1);
    REQUIRE(batches.size() == 1);
    REQUIRE(batches[0].mails.size() == 2);
    CHECK(batches[0].mails[0].count == 2);
    CHECK(batches[0].mails[0].one_topic);
    CHECK(batches[0].mails[1].count == 2);
    CHECK_FALSE(batches[0].mails[1].one_topic);
}

TEST_CASE("a large batch of runs goes at once, unless acknowledgements wait for it") {
    Stage stage;
    const auto bytes = publish("a", std::string(300'000, 'x'));
    stage.outboxes.run(1, OneRun(bytes, 77));
    CHECK(stage.arrived(1).size() == 1);
    CHECK(stage.outboxes.vouch(1, 4));
    stage.outboxes.run(1, OneRun(bytes, 77));
    CHECK(stage.arrived(1).empty());
    stage.outboxes.flush();
    const auto batches = stage.arrived(1);
    REQUIRE(batches.size() == 1);
    CHECK(batches[0].vouched);
    CHECK(batches[0].round == 4);
}

TEST_CASE("a batch is vouched for once a round, and each vouching is counted") {
    Stage stage;
    CHECK(stage.outboxes.vouch(1, 4));
    CHECK_FALSE(stage.outboxes.vouch(1, 4));
    CHECK(stage.outboxes.vouch(2, 4));
    CHECK(stage.outboxes.vouched() == 3);
    stage.outboxes.message(1, make_message("m"), kPublisher);
    stage.outboxes.flush();
    CHECK(stage.outboxes.vouch(1, 5));
}

TEST_CASE("a batch for a shard that has ended is told of, when acknowledgements wait for it") {
    Stage stage;
    stage.core.mailboxes[1]->close();
    stage.outboxes.message(1, make_message("nobody waits"), kPublisher);
    stage.outboxes.flush();
    CHECK(stage.outboxes.take_lost().empty());
    stage.outboxes.vouch(1, 6);
    stage.outboxes.message(1, make_message("lost"), kPublisher);
    stage.outboxes.flush();
    CHECK(stage.outboxes.take_lost() == std::vector<uint64_t>{6});
    CHECK(stage.outboxes.take_lost().empty());
}

TEST_CASE("connections wait for a shard that has more on its way than it may, until half of it has arrived") {
    Stage stage(1000);
    CHECK_FALSE(stage.outboxes.full(1));
    stage.outboxes.message(1, make_message(std::string(2000, 'x')), kPublisher);
    CHECK(stage.outboxes.full(1));
    CHECK_FALSE(stage.outboxes.full(2));
    stage.outboxes.wait(1, 77);
    stage.outboxes.flush();
    CHECK(stage.outboxes.full(1));
    std::vector<uint64_t> free;
    const auto note = [&](unsigned shard, uint64_t connection) {
        CHECK(shard == 1);
        free.push_back(connection);
    };
    stage.outboxes.each_free(note);
    CHECK(free.empty());
    for (const MailBatch& batch : stage.arrived(1)) stage.core.mailboxes[1]->delivered(batch.footprint);
    stage.outboxes.each_free(note);
    CHECK(free == std::vector<uint64_t>{77});
    stage.outboxes.each_free(note);
    CHECK(free.size() == 1);
}

TEST_CASE("all other shards are woken, this one is not") {
    Stage stage;
    stage.outboxes.wake_all();
    stage.outboxes.flush();
    CHECK(stage.woken == std::vector<unsigned>{1, 2});
}
