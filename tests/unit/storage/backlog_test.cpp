// What the shards are answered while batches wait for the writer.

#include "storage/commit/backlog.hpp"

#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

namespace {

struct Relaxed {
    static constexpr size_t kMost = 1000;

    Relaxed() : backlog(config) {
        config.durability = Durability::relaxed;
        config.backlog_bytes = kMost;
    }

    Ref<Changes> batch(int number, size_t footprint) {
        const auto none = std::make_shared<const Changes::List>();
        return Ref<Changes>::adopt(new Changes(none, footprint, 0, answers.wake(number)));
    }
    void take() { CHECK(backlog.take(taken, Backlog::Clock::now()) == Backlog::Work::batches); }

    Answers answers;
    StoreConfig config;
    Backlog backlog;
    std::vector<Backlog::Batch> taken;
};

}  // namespace

TEST_CASE("relaxed: a shard that was made to wait goes on once the backlog is short, before its own commit") {
    Relaxed r;
    const auto first = r.batch(1, 2 * Relaxed::kMost), second = r.batch(2, Relaxed::kMost);
    CHECK(r.backlog.add(*first) == Status::pending);
    r.take();
    CHECK(r.backlog.add(*second) == Status::pending);
    r.backlog.answer_waiting();
    CHECK(!r.answers.ended(2));

    r.backlog.committed();
    r.backlog.answer_waiting();
    CHECK(r.answers.wait(2) == Status::ok);
    CHECK(!r.answers.ended(1));  // the writer says so itself
    r.take();
    CHECK(r.taken.size() == 2);
    CHECK(second->complete(Status::ok) == Status::state);
    first->dismiss();
}

TEST_CASE("relaxed: while commits fail nobody is answered before his commit, however short the backlog") {
    Relaxed r;
    const auto batch = r.batch(1, 1);
    r.backlog.set_failing(true);
    CHECK(r.backlog.add(*batch) == Status::pending);
    r.backlog.answer_waiting();
    CHECK(!r.answers.ended(1));
    r.backlog.set_failing(false);
    r.backlog.answer_waiting();
    CHECK(r.answers.wait(1) == Status::ok);
}

}  // namespace comqtt::storage::test
