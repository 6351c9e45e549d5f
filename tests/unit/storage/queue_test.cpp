// Messages in queues: stored once, gone with their last queue, and not at all when they went before the commit.

#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

TEST_CASE("a message of three queues is stored once and goes with the last of them") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto a = client_of("a"), b = client_of("b"), c = client_of("c");
    const auto message = message_of("t", "x");
    Batch batch;
    batch.save(a).save(b).save(c);
    batch.queue(a, 1, message);
    batch.queue(b, 2, message);
    stage.commit(batch);
    Batch other_shard;
    other_shard.queue(c, 1, message);
    stage.commit(other_shard);
    CHECK(stage.rows("messages") == 1);
    CHECK(stage.number("SELECT refs FROM messages") == 3);

    stage.commit(Batch().at(Kind::message_removed, a, 1).at(Kind::message_removed, b, 2));
    CHECK(stage.number("SELECT refs FROM messages") == 1);
    stage.commit(Batch().at(Kind::message_removed, c, 1));
    CHECK(stage.rows("messages") == 0);
    CHECK(stage.rows("queue") == 0);
}

TEST_CASE("a message that comes again after its last queue let it go is stored again") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto a = client_of("a"), b = client_of("b");
    const auto message = message_of("t", "x");
    Batch batch;
    batch.save(a).save(b);
    batch.queue(a, 1, message);
    stage.commit(batch);
    stage.commit(Batch().at(Kind::message_removed, a, 1));
    Batch late;
    late.queue(b, 1, message);
    stage.commit(late);
    CHECK(stage.number("SELECT refs FROM messages") == 1);
    CHECK(stage.page("b")->messages.size() == 1);
}

TEST_CASE("one queue hands a message on to another within a transaction") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto a = client_of("a"), b = client_of("b");
    const auto message = message_of("t", "x");
    Batch batch;
    batch.save(a).save(b);
    batch.queue(a, 1, message);
    stage.commit(batch);
    Batch next;
    next.at(Kind::message_removed, a, 1);
    next.queue(b, 1, message);
    stage.commit(next);
    CHECK(stage.number("SELECT refs FROM messages") == 1);
    CHECK(stage.page("b")->messages.size() == 1);
}

TEST_CASE("what came and went within a transaction is not written, nor is there a transaction") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    stage.commit(Batch().save(client));
    const int64_t before = stage.transactions();
    Batch batch;
    batch.queue(client, 1, message_of("t", "1"));
    batch.at(Kind::message_removed, client, 1);
    batch.queue(client, 2, message_of("t", "2"));
    batch.at(Kind::message_sent, client, 2, 5).at(Kind::message_released, client, 2);
    batch.at(Kind::message_removed, client, 2);
    batch.received(Kind::received_added, client, 9).received(Kind::received_removed, client, 9);
    const auto brief = client_of("brief");
    batch.save(brief).subscribe(brief, "a");
    batch.queue(brief, 3, message_of("t", "3"));
    batch.add(Kind::session_removed, brief);
    stage.commit(batch);
    CHECK(stage.transactions() == before);
    CHECK(stage.rows("queue") == 0);
    CHECK(stage.rows("messages") == 0);
}

TEST_CASE("a session that ends and begins anew within a transaction keeps what came after") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    Batch old;
    old.save(client).subscribe(client, "old");
    old.queue(client, 1, message_of("t", "old"));
    old.received(Kind::received_added, client, 3);
    stage.commit(old);
    Batch batch;
    batch.queue(client, 2, message_of("t", "old too"));
    batch.add(Kind::session_removed, client);
    batch.save(client).subscribe(client, "new");
    batch.queue(client, 3, message_of("t", "new"));
    stage.commit(batch);
    stage.restart();
    CHECK(stage.clients().clients.size() == 1);
    const Records records = stage.subscriptions();
    REQUIRE(records.subscriptions.size() == 1);
    CHECK(records.subscriptions[0].entry.filter == "new");
    const auto page = stage.page("c");
    REQUIRE(page->messages.size() == 1);
    CHECK(page->messages[0].packet.payload == "new");
    CHECK(stage.rows("messages") == 1);
    CHECK(stage.rows("received") == 0);
}

TEST_CASE("a released message gives its content up and keeps its packet id") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    Batch batch;
    batch.save(client);
    batch.queue(client, 1, message_of("t", "x"), 8).qos = 2;
    stage.commit(batch);
    stage.commit(Batch().at(Kind::message_released, client, 1));
    CHECK(stage.rows("messages") == 0);
    stage.restart();
    const auto page = stage.page("c");
    REQUIRE(page->messages.size() == 1);
    CHECK(page->messages[0].state == State::released);
    CHECK(page->messages[0].packet.packet_id == 8);
    CHECK(page->messages[0].position == 1);
    stage.commit(Batch().at(Kind::message_removed, client, 1));
    CHECK(stage.rows("queue") == 0);
}

TEST_CASE("messages of before a restart and new ones do not mix") {
    const TempDir dir;
    Stage stage(dir);
    const auto client = client_of("c");
    for (uint64_t run = 1; run <= 3; ++run) {
        stage.start();
        Batch batch;
        if (run == 1) batch.save(client);
        Change& change = batch.queue(client, run, message_of("t", std::to_string(run)));
        change.message_key = 1;  // a server counts from 1 each time
        stage.commit(batch);
        stage.stop();
    }
    stage.start();
    const auto page = stage.page("c");
    REQUIRE(page->messages.size() == 3);
    for (uint64_t run = 1; run <= 3; ++run)
        CHECK(page->messages[run - 1].packet.payload == std::to_string(run));
}

TEST_CASE("changes of a session that is not stored are ignored and logged") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    Batch batch;
    batch.queue(client_of("nobody"), 1, message_of("t", "x"));
    batch.subscribe(client_of("nobody"), "a");
    stage.commit(batch);
    CHECK(stage.rows("queue") == 0);
    CHECK(stage.rows("messages") == 0);
    CHECK(stage.lines.count(LogLevel::warn, "2 changes") == 1);
}

TEST_CASE("batches that came together end in their order") {
    const TempDir dir;
    StoreConfig config;
    config.commit_window_ms = 20;
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    const int64_t before = stage.transactions();
    int last = stage.post(Batch().save(client));
    for (uint64_t position = 1; position <= 50; ++position) {
        Batch batch;
        batch.queue(client, position, message_of("t", "x"));
        last = stage.post(batch);
    }
    REQUIRE(stage.answers.wait(last) == Status::ok);
    const std::vector<int> order = stage.answers.order();
    REQUIRE(order.size() == 51);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(stage.transactions() - before <= 3);  // one, unless the machine was very slow
    CHECK(stage.rows("queue") == 51 - 1);
}

}  // namespace comqtt::storage::test
