#include "broker/mail_lanes.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace comqtt;
using namespace comqtt::broker;

namespace {

mqtt::MessageRef message(int publisher, const std::string& payload) {
    const std::string id = std::to_string(publisher);
    return mqtt::Message::make(
        {ByteView("t"), ByteView(payload), ByteView(), ByteView(id), 1, false, false, 0, 0, 0, {}});
}

bool waits(const MailLanes& lanes, int publisher) {
    MailBatch batch;
    Mail& mail = batch.mails.emplace_back();
    mail.kind = Mail::Kind::message;
    mail.message = message(publisher, "");
    return lanes.has(lanes.publisher_of(batch));
}

/// A batch of one message for each of these publishers; the payload says which it is.
MailBatch messages(const std::vector<int>& publishers, bool vouched = false) {
    MailBatch batch;
    batch.from = 3;
    batch.round = 77;
    batch.vouched = vouched;
    for (size_t i = 0; i < publishers.size(); ++i) {
        Mail& mail = batch.mails.emplace_back();
        mail.kind = Mail::Kind::message;
        mail.message = message(publishers[i], std::to_string(i));
        batch.footprint += mail.message->footprint();
    }
    return batch;
}

std::string payload(const Mail& mail) { return std::string(mail.message->payload().text()); }

/// All payloads, in the order in which they are read, one of each lane in turn.
std::string drain(MailLanes& lanes) {
    std::string all;
    while (!lanes.empty()) {
        MailBatch& front = lanes.front();
        all += payload(front.mails[front.read++]);
        lanes.next();
    }
    return all;
}

void finish(MailLanes& lanes) {
    lanes.front().read = static_cast<uint32_t>(lanes.front().mails.size());
    lanes.next();
}

}  // namespace

TEST_CASE("each publisher's messages stay in their order, and publishers take turns") {
    MailLanes lanes(42);
    CHECK(lanes.empty());
    MailBatch batch = messages({5, 5, 5, 6, 5, 7, 6});
    while (!batch.all_read()) lanes.add(batch, 1);
    for (const int publisher : {5, 6, 7}) CHECK(waits(lanes, publisher));
    CHECK_FALSE(waits(lanes, 8));
    CHECK(drain(lanes) == "0351624");
    CHECK(lanes.empty());
    CHECK_FALSE(waits(lanes, 5));
}

TEST_CASE("bytes go along with the mail, and what was taken of one batch for one publisher is one part") {
    MailLanes lanes(42);
    MailBatch batch = messages({5, 6, 5}, true);
    const size_t whole = batch.footprint, one = batch.mails[0].message->footprint();
    CHECK(lanes.add(batch, 9));
    CHECK(lanes.add(batch, 9));
    CHECK_FALSE(lanes.add(batch, 9));
    CHECK(batch.all_read());
    CHECK(batch.footprint == 0);
    MailBatch& first = lanes.front();
    CHECK(first.mails.size() == 2);
    CHECK(first.from == 3);
    CHECK(first.round == 77);
    CHECK(first.vouched);
    CHECK(first.footprint == 2 * one);
    MailBatch other = messages({5}, true);
    CHECK(lanes.add(other, 10));
    finish(lanes);
    CHECK(lanes.front().footprint == whole - 2 * one);
    finish(lanes);
    CHECK(lanes.front().footprint == one);
    finish(lanes);
    CHECK(lanes.empty());
}

TEST_CASE("of a run that was begun the rest is taken, with its publisher's client id") {
    MailLanes lanes(42);
    MailBatch batch;
    const std::string bytes = "unseen.client-idAABBCC", id = "client-id";
    batch.bytes.assign(bytes.begin(), bytes.end());
    batch.footprint = bytes.size();
    Mail& run = batch.mails.emplace_back();
    run.kind = Mail::Kind::run;
    run.target.value = 5;
    run.origin_size = static_cast<uint16_t>(id.size());
    run.offset = static_cast<uint32_t>(bytes.size() - 6);
    run.size = 6;
    run.count = 3;
    run.one_topic = true;
    batch.mails.push_back(run);
    batch.run_read = 2;
    MailBatch of_same = messages({0});
    of_same.mails[0].message = mqtt::Message::make(
        {ByteView("t"), ByteView("x"), ByteView(), ByteView(id), 0, false, false, 0, 0, 0, {}});
    CHECK(lanes.publisher_of(batch) == lanes.publisher_of(of_same));
    lanes.add(batch, 1);
    CHECK(batch.run_read == 0);
    lanes.add(batch, 1);
    const MailBatch& part = lanes.front();
    REQUIRE(part.mails.size() == 2);
    const auto text = [&](const Mail& mail) {
        return std::string(ByteView(part.bytes).subview(mail.offset, mail.size).text());
    };
    const auto origin = [&](const Mail& mail) {
        return std::string(
            ByteView(part.bytes).subview(mail.offset - mail.origin_size, mail.origin_size).text());
    };
    CHECK(text(part.mails[0]) == "BBCC");
    CHECK(origin(part.mails[0]) == id);
    CHECK_FALSE(part.mails[0].one_topic);  // its packets are counted anew
    CHECK(text(part.mails[1]) == "AABBCC");
    CHECK(origin(part.mails[1]) == id);
    CHECK(part.mails[1].one_topic);
    CHECK(part.mails[1].count == 3);
}

TEST_CASE("the oldest batch of which something is left is known, in whatever order its parts are done") {
    MailLanes lanes(42);
    CHECK(lanes.oldest() == UINT64_MAX);
    MailBatch first = messages({5, 6}), second = messages({6, 7});
    for (MailBatch* batch : {&first, &second})
        while (!batch->all_read()) lanes.add(*batch, batch == &first ? 4 : 8);
    CHECK(lanes.oldest() == 4);
    lanes.next();   // 5 keeps its message
    finish(lanes);  // of 6, the first batch
    CHECK(lanes.oldest() == 4);
    finish(lanes);  // of 7
    CHECK(lanes.oldest() == 4);
    finish(lanes);  // of 5
    CHECK(lanes.oldest() == 8);
    finish(lanes);
    CHECK(lanes.oldest() == UINT64_MAX);
}

TEST_CASE("tasks wait for the messages before them, whoever published these, and keep their order") {
    MailLanes lanes(42);
    MailBatch first = messages({5, 6}), second = messages({5});
    for (const char c : {'a', 'b'}) {
        MailBatch& batch = c == 'a' ? first : second;
        batch.mails.emplace_back().task = [](Shard&) {};
    }
    lanes.add(first, 1);
    lanes.add(first, 1);
    CHECK_FALSE(MailLanes::of_publisher(first));
    lanes.add_task(first, 1);
    CHECK(first.all_read());
    lanes.add(second, 2);
    lanes.add_task(second, 2);
    CHECK_FALSE(lanes.take_task());
    finish(lanes);  // of 5, the first batch
    CHECK_FALSE(lanes.take_task());
    finish(lanes);  // of 6
    CHECK(lanes.take_task());
    CHECK_FALSE(lanes.take_task());
    finish(lanes);
    CHECK(lanes.empty());
    CHECK(lanes.take_task());
    CHECK_FALSE(lanes.take_task());
}

TEST_CASE("a task that belongs to a message waits in the lane of its publisher") {
    MailLanes lanes(42);
    MailBatch batch = messages({5, 5});
    batch.mails[1].kind = Mail::Kind::task;
    batch.mails[1].task = [](Shard&) {};
    lanes.add(batch, 1);
    CHECK(MailLanes::of_publisher(batch));
    CHECK_FALSE(lanes.add(batch, 1));
    REQUIRE(lanes.front().mails.size() == 2);
    CHECK(lanes.front().mails[1].kind == Mail::Kind::task);
    CHECK(lanes.front().mails[1].task);
}

TEST_CASE(
    "a connection is asked once to wait, and goes on when its lane is short, or empty where messages are "
    "costly") {
    const Source slow{7, 1}, costly{8, 1};
    MailLanes lanes(42);
    MailBatch batch = messages({5, 5, 5, 5, 6});
    const size_t one = batch.mails[0].message->footprint();
    const uint64_t five = lanes.publisher_of(batch);
    for (int i = 0; i < 4; ++i) {
        lanes.add(batch, static_cast<uint64_t>(i + 1));  // a part each
        CHECK(lanes.asks_to_wait(five, slow, 3 * one, false) == (i == 3));
    }
    const uint64_t six = lanes.publisher_of(batch);
    lanes.add(batch, 5);
    CHECK(lanes.asks_to_wait(six, costly, 3 * one, true));
    CHECK_FALSE(lanes.asks_to_wait(six, costly, 3 * one, false));
    CHECK(lanes.take_relieved().empty());
    finish(lanes);  // three of 5 are left
    CHECK(lanes.take_relieved().empty());
    finish(lanes);  // 6
    CHECK(lanes.take_relieved().size() == 1);
    finish(lanes);
    CHECK(lanes.take_relieved().empty());
    finish(lanes);  // one is left
    const auto relieved = lanes.take_relieved();
    REQUIRE(relieved.size() == 1);
    CHECK(key_of(relieved[0]) == key_of(slow));
    finish(lanes);
    CHECK(lanes.empty());
    CHECK(lanes.take_relieved().empty());
}
