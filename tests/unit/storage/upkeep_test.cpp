// Sessions that end with long queues, and files that do not grow for ever.

#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

namespace {

void queue_many(Stage& stage, const Ref<hooks::Client>& client, uint64_t first, uint64_t count, size_t size) {
    const std::string payload(size, 'x');
    Batch batch;
    for (uint64_t i = 0; i < count; ++i) batch.queue(client, first + i, message_of("t", payload));
    stage.commit(batch);
}

/// Waits until the query answers 0.
bool becomes_zero(const Stage& stage, const std::string& sql) {
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (std::chrono::steady_clock::now() < until) {
        if (stage.number(sql) == 0) return true;
        std::this_thread::yield();
    }
    return false;
}

uint64_t size_of(const std::string& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    return none ? 0 : size;
}

}  // namespace

TEST_CASE("the end of a session with a long queue does not hold up the commits after it") {
    const TempDir dir;
    StoreConfig config;
    config.sync = Sync::off;
    Stage stage(dir, config);
    stage.start();
    const auto large = client_of("large"), other = client_of("other");
    stage.commit(Batch().save(large).save(other));
    for (uint64_t i = 0; i < 10; ++i) queue_many(stage, large, 1 + i * 5000, 5000, 100);

    Batch end;
    end.add(Kind::session_removed, large);
    stage.commit(end);
    // What is left is removed step by step; a commit comes in between.
    CHECK(stage.number("SELECT count(*) > 0 FROM queue") == 1);
    CHECK(stage.page("large")->status() == Status::not_found);
    queue_many(stage, other, 1, 1, 10);
    stage.commit(Batch().save(large));
    CHECK(stage.page("large")->messages.empty());

    CHECK(becomes_zero(stage, "SELECT count(*) FROM removed"));
    CHECK(stage.rows("queue") == 1);
    CHECK(stage.rows("messages") == 1);
    CHECK(stage.rows("sessions") == 2);
}

TEST_CASE("what is left of ended sessions is removed after a restart too, and belongs to nobody") {
    const TempDir dir;
    StoreConfig config;
    config.sync = Sync::off;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client).subscribe(client, "a"));
    for (uint64_t i = 0; i < 4; ++i) queue_many(stage, client, 1 + i * 5000, 5000, 10);
    Batch end;
    end.add(Kind::session_removed, client);
    stage.commit(end);
    stage.restart();
    const auto next = client_of("next");
    stage.commit(Batch().save(next));
    CHECK(stage.page("next")->messages.empty());
    CHECK(stage.clients().clients.size() == 1);
    CHECK(stage.subscriptions().subscriptions.empty());
    CHECK(becomes_zero(stage, "SELECT count(*) FROM removed"));
    CHECK(stage.rows("queue") == 0);
    CHECK(stage.rows("messages") == 0);
    CHECK(stage.rows("subscriptions") == 0);
}

TEST_CASE("many sessions that end at once leave nothing") {
    const TempDir dir;
    StoreConfig config;
    config.sync = Sync::off;
    Stage stage(dir, config);
    stage.start();
    std::vector<Ref<hooks::Client>> clients;
    Batch begin, end;
    for (int i = 0; i < 3000; ++i) {
        clients.push_back(client_of("c" + std::to_string(i)));
        begin.save(clients.back()).subscribe(clients.back(), "a").subscribe(clients.back(), "b");
        begin.queue(clients.back(), static_cast<uint64_t>(i) + 1, message_of("t", "x"));
        begin.received(Kind::received_added, clients.back(), 1);
        end.add(Kind::session_removed, clients.back());
    }
    stage.commit(begin);
    stage.commit(end);
    CHECK(becomes_zero(stage, "SELECT count(*) FROM removed"));
    for (const char* table : {"sessions", "subscriptions", "queue", "messages", "received"}) {
        CAPTURE(table);
        CHECK(stage.rows(table) == 0);
    }
}

TEST_CASE("the log starts anew while commits go on, and is emptied when they stop") {
    const TempDir dir;
    StoreConfig config;
    config.sync = Sync::off;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    constexpr uint64_t kLogMost = 256u << 20, kBatch = 100 * 4000;
    uint64_t largest = 0, written = 0;
    // The file of a log that starts anew stays as long as it was.
    for (uint64_t i = 0; written <= 4 * kLogMost && (written < 100u << 20 || written < 2 * largest); ++i) {
        queue_many(stage, client, 1 + i * 100, 100, 4000);
        written += kBatch;
        largest = std::max(largest, size_of(stage.path() + "-wal"));
    }
    CHECK(written >= 2 * largest);
    CHECK(largest < kLogMost + 4 * kBatch);
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (size_of(stage.path() + "-wal") > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    CHECK(size_of(stage.path() + "-wal") == 0);
}

TEST_CASE("room that is no longer used is given back") {
    const TempDir dir;
    StoreConfig config;
    config.sync = Sync::off;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    for (uint64_t i = 0; i < 5; ++i) queue_many(stage, client, 1 + i * 1000, 1000, 4000);
    const int64_t most = stage.number("PRAGMA page_count");
    CHECK(most > 5000);
    Batch end;
    end.add(Kind::session_removed, client);
    stage.commit(end);
    CHECK(becomes_zero(stage, "SELECT count(*) FROM removed"));
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (stage.number("PRAGMA page_count") > 1000 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    CHECK(stage.number("PRAGMA page_count") < 1000);
}

}  // namespace comqtt::storage::test
