// A disk that is full, or fails: batches wait in order, are reported once, and are committed when it works again.

#include "unit/storage/faulty_vfs.hpp"
#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

namespace {

Batch message_batch(const Ref<hooks::Client>& client, uint64_t position) {
    Batch batch;
    batch.queue(client, position, message_of("t", std::to_string(position)));
    return batch;
}

}  // namespace

TEST_CASE("a full disk is reported once, refuses nothing, and all is committed in order when there is room") {
    const TempDir dir;
    FaultyVfs vfs;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));

    vfs.fail_writes(SQLITE_FULL);
    int last = 0;
    const int first = stage.post(message_batch(client, 1));
    const Answers::Answer report = stage.answers.wait_report();
    CHECK(report.batch == first);
    CHECK(report.status == Status::queue_full);
    CHECK(report.text == "comqtt.db: database or disk is full");
    for (uint64_t position = 2; position <= 20; ++position) {
        last = stage.post(message_batch(client, position));
        CHECK(stage.last_answer == Status::pending);
    }
    CHECK(!stage.answers.ended(first));
    CHECK(stage.lines.count(LogLevel::error, "disk is full") == 1);
    CHECK(stage.page("c")->status() == Status::io);  // what it has to see is not committed

    vfs.fail_writes(0);
    CHECK(stage.answers.wait(last) == Status::ok);
    const std::vector<int> order = stage.answers.order();
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(stage.answers.reports() == 1);
    CHECK(stage.lines.count(LogLevel::info, "commits work again") == 1);
    const auto page = stage.page("c");
    REQUIRE(page->messages.size() == 20);
    for (size_t i = 0; i < 20; ++i) CHECK(page->messages[i].position == i + 1);
}

TEST_CASE("a disk that fails otherwise is reported as io; another kind of failure is reported again") {
    const TempDir dir;
    FaultyVfs vfs;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    vfs.fail_writes(SQLITE_IOERR_WRITE);
    const int batch = stage.post(message_batch(client, 1));
    CHECK(stage.answers.wait_report().status == Status::io);
    vfs.fail_writes(SQLITE_FULL);
    while (stage.answers.reports() < 2 && !stage.answers.ended(batch)) std::this_thread::yield();
    CHECK(!stage.answers.ended(batch));
    vfs.fail_writes(0);
    CHECK(stage.answers.wait(batch) == Status::ok);
    CHECK(stage.page("c")->messages.size() == 1);
    CHECK(stage.rows("messages") == 1);
}

TEST_CASE("a commit whose sync failed is in the file once, whatever became of it") {
    const TempDir dir;
    FaultyVfs vfs;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    for (uint64_t position = 1; position <= 5; ++position) {
        vfs.fail_syncs(SQLITE_IOERR_FSYNC);
        const size_t reports = stage.answers.reports();
        const int batch = stage.post(message_batch(client, position));
        while (stage.answers.reports() == reports) std::this_thread::yield();
        vfs.fail_syncs(0);
        CHECK(stage.answers.wait(batch) == Status::ok);
    }
    CHECK(stage.rows("queue") == 5);
    CHECK(stage.number("SELECT sum(refs) FROM messages") == 5);
    stage.restart();
    CHECK(stage.page("c")->messages.size() == 5);
}

TEST_CASE("a file that was removed is reported, and commits go on when it is back") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    std::filesystem::rename(stage.path(), dir.file("elsewhere"));
    const int batch = stage.post(message_batch(client, 1));
    const Answers::Answer report = stage.answers.wait_report();
    CHECK(report.status == Status::io);
    CHECK(report.text.find("moved or removed") != std::string::npos);
    CHECK(!stage.answers.ended(batch));
    std::filesystem::rename(dir.file("elsewhere"), stage.path());
    CHECK(stage.answers.wait(batch) == Status::ok);
    CHECK(stage.page("c")->messages.size() == 1);
}

TEST_CASE("what cannot be removed while the disk is full is removed later") {
    const TempDir dir;
    FaultyVfs vfs;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c"), other = client_of("other");
    Batch batch;
    batch.save(client).save(other);
    for (uint64_t position = 1; position <= 20'000; ++position)
        batch.queue(client, position, message_of("t", "x"));
    stage.commit(batch);
    Batch end;
    end.add(Kind::session_removed, client);
    // The rows that are left go one transaction after the other: the disk fills up among them.
    stage.commit(end);
    vfs.fail_writes(SQLITE_FULL);
    const int last = stage.post(message_batch(other, 1));
    stage.answers.wait_report();
    vfs.fail_writes(0);
    CHECK(stage.answers.wait(last) == Status::ok);
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (stage.rows("removed") && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    CHECK(stage.rows("removed") == 0);
    CHECK(stage.rows("messages") == 1);
    CHECK(stage.lines.count(LogLevel::warn, "upkeep failed") <= 1);
}

TEST_CASE("a stop while the disk fails gives up in time and says so") {
    const TempDir dir;
    FaultyVfs vfs;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    vfs.fail_writes(SQLITE_FULL);
    const int first = stage.post(message_batch(client, 1));
    stage.answers.wait_report();
    const int second = stage.post(message_batch(client, 2));
    const auto began = std::chrono::steady_clock::now();
    stage.hook->stop();
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
    CHECK(stage.answers.wait(first) == Status::queue_full);
    CHECK(stage.answers.wait(second) == Status::queue_full);
    stage.post(message_batch(client, 3));
    CHECK(stage.last_answer == Status::closed);
    vfs.fail_writes(0);
    stage.hook.reset();
    CHECK(stage.number("SELECT value FROM state WHERE name='clean'") == 0);
}

TEST_CASE("a stop commits what is left") {
    const TempDir dir;
    StoreConfig config;
    config.durability = Durability::relaxed;
    config.flush_interval_ms = 3'600'000;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    stage.post(Batch().save(client));
    stage.post(message_batch(client, 1));
    CHECK(stage.last_answer == Status::ok);
    stage.restart();
    CHECK(stage.page("c")->messages.size() == 1);
}

TEST_CASE("batches that arrive during a commit share the next one") {
    const TempDir dir;
    FaultyVfs vfs;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    const int64_t before = stage.transactions();
    vfs.hold_syncs(true);
    const int first = stage.post(message_batch(client, 1));
    vfs.await_held_sync();
    int last = 0;
    for (uint64_t position = 2; position <= 100; ++position)
        last = stage.post(message_batch(client, position));
    CHECK(!stage.answers.ended(first));  // not before it is on the disk
    const uint64_t syncs = vfs.syncs();
    vfs.hold_syncs(false);
    CHECK(stage.answers.wait(last) == Status::ok);
    CHECK(stage.transactions() == before + 2);
    CHECK(vfs.syncs() - syncs <= 2);
}

TEST_CASE("relaxed: answered at once and committed within the flush interval") {
    const TempDir dir;
    FaultyVfs vfs;
    StoreConfig config;
    config.durability = Durability::relaxed;
    config.flush_interval_ms = 1;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    vfs.hold_syncs(true);
    const int first = stage.post(Batch().save(client));
    CHECK(stage.last_answer == Status::ok);
    vfs.await_held_sync();  // committed by itself
    CHECK(!stage.answers.ended(first));
    vfs.hold_syncs(false);
    CHECK(stage.answers.wait(first) == Status::ok);
}

TEST_CASE("relaxed: shards wait while more than the backlog is not committed, or commits fail") {
    const TempDir dir;
    FaultyVfs vfs;
    StoreConfig config;
    config.durability = Durability::relaxed;
    config.flush_interval_ms = 3'600'000;
    config.backlog_bytes = 10'000;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    stage.post(Batch().save(client));
    CHECK(stage.last_answer == Status::ok);
    Batch large;
    large.queue(client, 1, message_of("t", std::string(20'000, 'x')));
    const int batch = stage.post(large);
    CHECK(stage.last_answer == Status::pending);
    CHECK(stage.answers.wait(batch) == Status::ok);
    CHECK(stage.page("c")->messages.size() == 1);
    stage.post(message_batch(client, 2));
    CHECK(stage.last_answer == Status::ok);

    vfs.fail_writes(SQLITE_FULL);
    Batch more;
    more.queue(client, 3, message_of("t", std::string(20'000, 'x')));
    stage.post(more);
    stage.answers.wait_report();
    const int last = stage.post(message_batch(client, 4));
    CHECK(stage.last_answer == Status::pending);
    vfs.fail_writes(0);
    CHECK(stage.answers.wait(last) == Status::ok);
    CHECK(stage.page("c")->messages.size() == 4);
}

}  // namespace comqtt::storage::test
