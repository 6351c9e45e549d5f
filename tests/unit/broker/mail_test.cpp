#include "broker/mail.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace comqtt;
using namespace comqtt::broker;

namespace {

struct FakeHost final : Host {
    std::vector<unsigned> woken;
    void wake(unsigned shard) override { woken.push_back(shard); }
};

MailBatch batch(uint32_t from, size_t footprint = 0) {
    MailBatch made;
    made.from = from;
    made.footprint = footprint;
    made.mails.emplace_back();
    return made;
}

constexpr size_t kAll = SIZE_MAX;

}  // namespace

TEST_CASE("batches are taken in the order posted, each once") {
    FakeHost host;
    Mailbox mailbox(&host, 3);
    CHECK(mailbox.idle());
    CHECK(mailbox.take(kAll).empty());
    for (const uint32_t from : {7, 8, 9}) CHECK(mailbox.post(batch(from)));
    CHECK_FALSE(mailbox.idle());
    const auto taken = mailbox.take(kAll);
    REQUIRE(taken.size() == 3);
    for (size_t i = 0; i < 3; ++i) CHECK(taken[i].from == 7 + i);
    CHECK(mailbox.idle());
    CHECK(mailbox.take(kAll).empty());
}

TEST_CASE("a part is taken in whole batches, and the shard is woken for the rest") {
    FakeHost host;
    Mailbox mailbox(&host, 3);
    for (uint32_t from = 0; from < 5; ++from) {
        MailBatch made = batch(from);
        made.mails.resize(2);
        mailbox.post(std::move(made));
    }
    CHECK(mailbox.posted() == 5);
    const auto first = mailbox.take(3);
    REQUIRE(first.size() == 2);
    CHECK(first[0].from == 0);
    CHECK(first[1].from == 1);
    CHECK(host.woken == std::vector<unsigned>{3, 3});
    mailbox.post(batch(5));
    CHECK(host.woken.size() == 2);
    const auto rest = mailbox.take(kAll);
    REQUIRE(rest.size() == 4);
    for (uint32_t i = 0; i < 4; ++i) CHECK(rest[i].from == 2 + i);
    CHECK(host.woken.size() == 2);
    CHECK(mailbox.posted() == 6);
}

TEST_CASE("what is put back unread comes first again, as it was, and wakes the shard") {
    FakeHost host;
    Mailbox mailbox(&host, 3);
    for (uint32_t from = 0; from < 4; ++from) mailbox.post(batch(from, 10));
    std::vector<MailBatch> taken = mailbox.take(3);
    REQUIRE(taken.size() == 3);
    mailbox.post(batch(4, 10));
    taken.erase(taken.begin());
    taken.front().read = 7;
    taken.front().passed_on = true;
    const size_t woken = host.woken.size();
    mailbox.put_back_unread(std::move(taken));
    CHECK(host.woken.size() == woken + 1);
    CHECK(mailbox.posted() == 5);
    CHECK(mailbox.pending_bytes() == 50);
    const auto rest = mailbox.take(kAll);
    REQUIRE(rest.size() == 4);
    for (uint32_t i = 0; i < 4; ++i) CHECK(rest[i].from == 1 + i);
    CHECK(rest[0].read == 7);
    CHECK(rest[0].passed_on);
}

TEST_CASE("the shard is woken by the first batch after it took the others") {
    FakeHost host;
    Mailbox mailbox(&host, 3);
    mailbox.post(batch(0));
    mailbox.post(batch(0));
    CHECK(host.woken == std::vector<unsigned>{3});
    mailbox.take(kAll);
    CHECK(host.woken.size() == 1);
    mailbox.post(batch(0));
    CHECK(host.woken == std::vector<unsigned>{3, 3});
}

TEST_CASE("bytes are pending from being posted until they are delivered") {
    FakeHost host;
    Mailbox mailbox(&host, 0);
    mailbox.post(batch(0, 100));
    mailbox.post(batch(0, 20));
    CHECK(mailbox.pending_bytes() == 120);
    mailbox.take(kAll);
    CHECK(mailbox.pending_bytes() == 120);
    mailbox.delivered(100);
    CHECK(mailbox.pending_bytes() == 20);
    mailbox.delivered(20);
    CHECK(mailbox.pending_bytes() == 0);
}

TEST_CASE("after its shard has gone a mailbox takes nothing and wakes nobody") {
    FakeHost host;
    Mailbox mailbox(&host, 0);
    const auto held = std::make_shared<int>(1);
    CHECK(mailbox.post([held](Shard&) {}));
    CHECK(held.use_count() == 2);
    mailbox.close();
    CHECK(held.use_count() == 1);
    CHECK(mailbox.idle());
    CHECK_FALSE(mailbox.post(batch(0, 50)));
    CHECK_FALSE(mailbox.post([held](Shard&) {}));
    CHECK(held.use_count() == 1);
    CHECK(mailbox.pending_bytes() == 0);
    CHECK(host.woken.size() == 1);
}

TEST_CASE("a task travels as a batch of its own") {
    FakeHost host;
    Mailbox mailbox(&host, 0);
    mailbox.post([](Shard&) {});
    const auto taken = mailbox.take(kAll);
    REQUIRE(taken.size() == 1);
    REQUIRE(taken[0].mails.size() == 1);
    CHECK(taken[0].mails[0].kind == Mail::Kind::task);
    CHECK(taken[0].mails[0].task);
    CHECK(taken[0].footprint == 0);
}

TEST_CASE("what several threads post arrives whole and in the order of each") {
    FakeHost host;
    Mailbox mailbox(&host, 0);
    constexpr uint32_t kThreads = 3, kEach = 2000;
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < kThreads; ++t)
        threads.emplace_back([&mailbox, t] {
            for (uint32_t i = 0; i < kEach; ++i) mailbox.post(batch(t * kEach + i, 1));
        });
    std::vector<uint32_t> next(kThreads);
    for (uint32_t arrived = 0; arrived < kThreads * kEach;)
        for (const MailBatch& got : mailbox.take(kAll)) {
            const uint32_t thread = got.from / kEach;
            REQUIRE(got.from % kEach == next[thread]++);
            mailbox.delivered(1);
            ++arrived;
        }
    for (std::thread& thread : threads) thread.join();
    CHECK(mailbox.pending_bytes() == 0);
}

TEST_CASE("a buffer given back is used again, and few of a moderate size are kept") {
    FakeHost host;
    Mailbox mailbox(&host, 0);
    CHECK(mailbox.buffer().capacity() == 0);
    std::vector<uint8_t> used(1000, 1);
    const uint8_t* at = used.data();
    mailbox.put_back(std::move(used));
    const auto again = mailbox.buffer();
    CHECK(again.empty());
    CHECK(again.data() == at);
    mailbox.put_back(std::vector<uint8_t>(8u << 20));
    CHECK(mailbox.buffer().capacity() == 0);
    for (int i = 0; i < 10; ++i) mailbox.put_back(std::vector<uint8_t>(1000));
    int kept = 0;
    while (mailbox.buffer().capacity()) ++kept;
    CHECK(kept == 4);
}
