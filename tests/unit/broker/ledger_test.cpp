#include "broker/ledger.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "broker_stage.hpp"
#include "fakes.hpp"
#include "unit/hooks/stage.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;
using Kind = Ledger::Kind;

namespace {

/// Answers as it is told to and keeps the batches.
class FakeStore final : public hooks::Hook {
public:
    std::string_view id() const override { return "store"; }
    hooks::EventMask events() const override { return hooks::mask_of(EventId::store_changes); }
    Status store_changes(hooks::Event&, hooks::Changes& changes) override {
        batches.push_back(Ref<hooks::Changes>::share(&changes));
        return answer;
    }
    Status answer = Status::pending;
    std::vector<Ref<hooks::Changes>> batches;
};

struct Stage : CoreStage {
    explicit Stage(bool stores = true, Config config = {})
        : CoreStage(2, std::move(config)), here(core, 0), outboxes(here), ledger(here, outboxes) {
        if (stores) REQUIRE(core.hooks.add(store));
        session.client = hooks::test::make_client("the client");
    }
    ~Stage() {
        for (const auto& batch : store->batches) batch->dismiss();
    }
    /// What is held, as it ends: the numbers of the rounds in order.
    std::vector<uint64_t> ended() {
        std::vector<uint64_t> numbers;
        Round round;
        while (ledger.take_ended(round)) {
            numbers.push_back(round.number);
            last = round.status;
        }
        return numbers;
    }
    void change() { ledger.record(Kind::session_removed, &session); }

    std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>();
    Here here;
    Outboxes outboxes;
    Ledger ledger;
    Session session;
    Status last = Status::ok;
};

}  // namespace

TEST_CASE("without a store nothing is kept, and without a change nothing is handed over") {
    Stage none(false);
    CHECK_FALSE(none.ledger.storing());
    Stage stage;
    CHECK(stage.ledger.storing());
    CHECK_FALSE(stage.ledger.close());
    CHECK(stage.store->batches.empty());
    CHECK(stage.ended().empty());
}

TEST_CASE("the changes of a round are one batch, in their order, with what they hold") {
    Stage stage;
    const uint64_t before = stage.ledger.vouched();
    stage.ledger.save_session(stage.session);
    session::Delivery delivery;
    delivery.message = make_message("the payload", "a/b");
    delivery.qos = 1;
    stage.ledger.save_message(stage.session, delivery, 7);
    stage.ledger.record_text(Kind::subscription_removed, &stage.session, "a/#");
    CHECK(stage.ledger.vouched() > before);
    CHECK(delivery.position != 0);
    stage.ledger.close();
    REQUIRE(stage.store->batches.size() == 1);
    const auto& changes = stage.store->batches[0]->all();
    REQUIRE(changes.size() == 3);
    CHECK(changes[0].kind == Kind::session_saved);
    CHECK(changes[0].details->client.id == "the client");
    CHECK(changes[1].kind == Kind::message_queued);
    CHECK(changes[1].message->payload().text() == "the payload");
    CHECK(changes[1].packet_id == 7);
    CHECK(changes[1].position == delivery.position);
    CHECK(changes[2].details->text == "a/#");
    CHECK(stage.core.uncommitted_bytes.load() == stage.store->batches[0]->footprint());
    CHECK(stage.store->batches[0]->footprint() > delivery.message->footprint());
}

TEST_CASE("positions grow, above those that were restored too") {
    Stage stage;
    stage.ledger.use_above(100);
    stage.ledger.use_above(50);
    CHECK(stage.ledger.take_position() == 101);
    CHECK(stage.ledger.take_position() == 102);
}

TEST_CASE("rounds end in order, when their stores have answered") {
    Stage stage;
    for (int i = 0; i < 3; ++i) {
        stage.change();
        stage.ledger.close();
    }
    CHECK(stage.ended().empty());
    stage.ledger.answered(2, Status::ok, {});
    CHECK(stage.ended().empty());
    stage.ledger.answered(1, Status::ok, {});
    CHECK(stage.ended() == std::vector<uint64_t>{1, 2});
    stage.ledger.answered(3, Status::ok, {});
    CHECK(stage.ended() == std::vector<uint64_t>{3});
    CHECK(stage.core.uncommitted_bytes.load() == 0);
    CHECK(stage.ledger.empty());
}

TEST_CASE("a store that answers at once ends the round at once") {
    Stage stage;
    stage.store->answer = Status::ok;
    stage.change();
    stage.ledger.close();
    CHECK(stage.ended() == std::vector<uint64_t>{1});
    CHECK(stage.last == Status::ok);
}

TEST_CASE("a round that one store refused has failed, and says so once") {
    Stage stage;
    stage.change();
    stage.ledger.close();
    stage.ledger.answered(1, Status::storage, "the disk is gone");
    CHECK(stage.ended() == std::vector<uint64_t>{1});
    CHECK(stage.last == Status::storage);
    stage.ledger.answered(1, Status::storage, "again");
    CHECK(stage.here.metrics().store_failures.get() == 1);
    CHECK(stage.ended().empty());
}

TEST_CASE("what is held comes with its round and after what was held before") {
    Stage stage;
    const auto hold = [&](mqtt::PacketId id) {
        Held held;
        held.id = id;
        stage.ledger.hold(std::move(held));
    };
    stage.change();
    hold(1);
    hold(2);
    stage.ledger.close();
    stage.change();
    hold(3);
    stage.ledger.close();
    Round round;
    Held held;
    CHECK_FALSE(stage.ledger.take_ended(round));
    stage.ledger.answered(1, Status::ok, {});
    REQUIRE(stage.ledger.take_ended(round));
    std::vector<mqtt::PacketId> came;
    while (stage.ledger.take_held(round.number, held)) came.push_back(held.id);
    CHECK(came == std::vector<mqtt::PacketId>{1, 2});
    CHECK_FALSE(stage.ledger.take_ended(round));
}

TEST_CASE("a round waits for the shard that it handed something to") {
    Stage stage;
    stage.change();
    stage.outboxes.message(1, make_message("m"), {});
    stage.ledger.vouch_for(1);
    stage.ledger.close();
    stage.ledger.answered(1, Status::ok, {});
    CHECK(stage.ended().empty());
    stage.ledger.confirmed(1, Status::queue_full, "no room there");
    CHECK(stage.ended() == std::vector<uint64_t>{1});
    CHECK(stage.last == Status::queue_full);
}

TEST_CASE("a shard that has ended is not waited for") {
    Stage stage;
    stage.ledger.vouch_for(1);
    stage.ledger.close();
    stage.ledger.lost(1);
    CHECK(stage.ended() == std::vector<uint64_t>{1});
}

TEST_CASE("another shard hears of its batch when ours is stored, and of what we handed on when that is too") {
    Stage stage;
    const auto told = [&] {
        stage.outboxes.flush();
        size_t count = 0;
        for (const MailBatch& batch : stage.core.mailboxes[1]->take(SIZE_MAX)) count += batch.mails.size();
        return count;
    };
    stage.change();
    stage.ledger.confirm_later({1, 5}, false);
    stage.ledger.confirm_later({1, 6}, true);
    stage.ledger.vouch_for(1);
    stage.ledger.close();
    CHECK(told() == 0);
    stage.ledger.answered(1, Status::ok, {});
    CHECK(told() == 1);
    stage.ledger.confirmed(1, Status::ok, {});
    CHECK(told() == 1);
}

TEST_CASE("the ledger is full above its share of the limits and half empty below half of it") {
    Stage stage(true, with([](Limits& limits) { limits.uncommitted_bytes = 2 * 1'000'000; }));
    CHECK_FALSE(stage.ledger.backlog());
    session::Delivery delivery;
    delivery.message = make_message(std::string(1'000'000, 'x'));
    delivery.qos = 1;
    stage.ledger.save_message(stage.session, delivery, 0);
    CHECK(stage.ledger.backlog());
    stage.ledger.close();
    CHECK(stage.ledger.backlog());
    CHECK_FALSE(stage.ledger.half_empty());
    CHECK_FALSE(stage.ledger.stuck());
    stage.clock->set(int64_t{stage.core.config.limits.slow_store_ms} + 1);
    stage.here.read_clock();
    CHECK(stage.ledger.stuck());
    stage.ledger.settle();
    CHECK(stage.ledger.uncommitted_since_ms() == 0);
    stage.ledger.answered(1, Status::ok, {});
    CHECK(stage.ended().size() == 1);
    stage.ledger.settle();
    CHECK(stage.ledger.half_empty());
    CHECK(stage.ledger.uncommitted_since_ms() == INT64_MAX);
}

TEST_CASE("held answers are bounded too") {
    Stage stage(true, with([](Limits& limits) { limits.held_acks = 2 * 10; }));
    for (int i = 0; i < 11; ++i) stage.ledger.hold({});
    CHECK(stage.ledger.backlog());
}

TEST_CASE("a store that fails is told of once, and so is its recovery") {
    Stage stage(true, with([](Limits& limits) { limits.uncommitted_bytes = 1; }));
    stage.change();
    stage.ledger.close();
    stage.ledger.failing(Status::storage, "no space");
    CHECK(stage.core.store_health.failing());
    CHECK(stage.ledger.overflows());
    stage.ledger.answered(1, Status::ok, {});
    CHECK_FALSE(stage.core.store_health.failing());
    CHECK_FALSE(stage.ledger.overflows());
}
