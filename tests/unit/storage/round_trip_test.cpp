#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

TEST_CASE("a session comes back from a restart with all its fields") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c1");
    Batch batch;
    hooks::StoredClient& saved = batch.with_details(Kind::session_saved, client).details->client;
    saved.id = "c1";
    saved.username = "user";
    saved.remote = "[::1]:5";
    saved.listener = "tcp1";
    saved.version = mqtt::Version::v311;
    saved.clean_start = true;
    saved.session_expiry_s = mqtt::kNoExpiry;
    saved.disconnected_at_ms = 1'700'000'000'123;
    saved.has_will = true;
    saved.will_due_ms = 1'700'000'099'000;
    saved.will.topic_name = "will/topic";
    saved.will.payload = std::string("a\0b", 3);
    saved.will.qos = 2;
    saved.will.retain = true;
    saved.will.properties.add_user("k", "v");
    saved.will.properties.set_number(mqtt::PropertyId::will_delay_interval, 30);
    const hooks::StoredClient expected = saved;
    stage.commit(batch);

    for (const bool again : {false, true}) {
        CAPTURE(again);
        if (again) stage.restart();
        const Records records = stage.clients();
        REQUIRE(records.clients.size() == 1);
        const hooks::StoredClient& found = records.clients[0];
        CHECK(found.id == expected.id);
        CHECK(found.username == expected.username);
        CHECK(found.remote == expected.remote);
        CHECK(found.listener == expected.listener);
        CHECK(found.version == expected.version);
        CHECK(found.clean_start == expected.clean_start);
        CHECK(found.session_expiry_s == expected.session_expiry_s);
        CHECK(found.disconnected_at_ms == expected.disconnected_at_ms);
        CHECK(found.has_will);
        CHECK(found.will == expected.will);
        CHECK(found.will_due_ms == expected.will_due_ms);
        CHECK(found.last_position == 0);
    }
}

TEST_CASE("a session saved again replaces its fields and keeps its messages") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c1");
    Batch first;
    first.save(client).subscribe(client, "a/#");
    first.queue(client, 7, message_of("a/b", "x"));
    stage.commit(first);
    Batch second;
    second.with_details(Kind::session_saved, client).details->client = {};
    second.list()->back().details->client.id = "c1";
    second.list()->back().details->client.username = "other";
    stage.commit(second);
    stage.restart();
    const Records records = stage.clients();
    REQUIRE(records.clients.size() == 1);
    CHECK(records.clients[0].username == "other");
    CHECK(records.clients[0].queued_messages == 1);
    CHECK(stage.subscriptions().subscriptions.size() == 1);
}

TEST_CASE("subscriptions come back with options and identifier; a removed one does not") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c1");
    Batch batch;
    batch.save(client).subscribe(client, "gone").subscribe(client, "$share/g/a/+");
    hooks::StoredSubscription& record = batch.list()->back().details->subscription;
    record.entry.qos = 2;
    record.entry.no_local = true;
    record.entry.retain_as_published = true;
    record.entry.retain_handling = 2;
    record.identifier = 268'435'455;
    const mqtt::TopicFilterEntry expected = record.entry;
    stage.commit(batch);
    stage.commit(Batch().text(Kind::subscription_removed, client, "gone"));
    stage.restart();
    const Records records = stage.subscriptions();
    REQUIRE(records.subscriptions.size() == 1);
    CHECK(records.subscriptions[0].client_id == "c1");
    CHECK(records.subscriptions[0].entry == expected);
    CHECK(records.subscriptions[0].identifier == 268'435'455);
}

TEST_CASE("a retained message comes back as it was; the last one of its topic counts") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    mqtt::Properties properties;
    properties.add_user("a", "b");
    std::vector<uint8_t> raw;
    ByteWriter writer(raw);
    mqtt::encode_properties(writer, properties);
    mqtt::MessageFields fields;
    fields.topic_name = ByteView(std::string_view("r/1"));
    fields.payload = ByteView(std::string_view("second"));
    fields.properties = ByteView(raw).from(1);
    fields.origin_id = ByteView(std::string_view("who"));
    fields.qos = 2;
    fields.retain = true;
    fields.has_expiry = true;
    fields.expiry_interval = 0;
    fields.created_ms = 42;
    Batch batch;
    batch.add(Kind::retained_saved).message = message_of("r/1", "first");
    batch.add(Kind::retained_saved).message = message_of("r/2", "kept for a while");
    stage.commit(batch);
    Batch next;
    next.add(Kind::retained_saved).message = mqtt::Message::make(fields);
    next.text(Kind::retained_removed, {}, "r/2");
    stage.commit(next);
    stage.restart();
    const Records records = stage.retained();
    REQUIRE(records.messages.size() == 1);
    const hooks::StoredMessage& found = records.messages[0];
    CHECK(found.client_id.empty());
    CHECK(found.origin == "who");
    CHECK(found.created_ms == 42);
    CHECK(found.packet.topic_name == "r/1");
    CHECK(found.packet.payload == "second");
    CHECK(found.packet.qos == 2);
    CHECK(found.packet.retain);
    properties.set_number(mqtt::PropertyId::message_expiry_interval, 0);
    CHECK(found.packet.properties == properties);
}

TEST_CASE("blocked clients come back until they are unblocked") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    stage.commit(Batch()
                     .text(Kind::client_blocked, {}, "bad")
                     .text(Kind::client_blocked, {}, "worse")
                     .text(Kind::client_unblocked, {}, "bad"));
    stage.restart();
    CHECK(stage.clients().blocked == std::vector<std::string>{"worse"});
    stage.commit(Batch().text(Kind::client_unblocked, {}, "worse"));
    stage.restart();
    CHECK(stage.clients().blocked.empty());
}

TEST_CASE("a session is listed with what is stored of its messages") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto empty = client_of("empty"), busy = client_of("busy"), last = client_of("last");
    const auto small = message_of("t", "1"), large = message_of("t", std::string(100, 'x'));
    mqtt::MessageFields fields;
    fields.topic_name = ByteView(std::string_view("t"));
    fields.has_expiry = true;
    fields.expiry_interval = 10;
    fields.created_ms = 5000;
    Batch batch;
    batch.save(empty).save(busy).save(last);
    batch.queue(busy, 3, small, 11);
    batch.queue(busy, 5, small);
    batch.queue(busy, 9, large);
    batch.queue(busy, 12, mqtt::Message::make(fields));
    batch.received(Kind::received_added, busy, 77);
    batch.received(Kind::received_added, last, 1);
    stage.commit(batch);
    stage.restart();
    const Records records = stage.clients();
    REQUIRE(records.clients.size() == 3);
    CHECK(records.clients[0].id == "empty");
    CHECK(records.clients[0].queued_messages == 0);
    CHECK(records.clients[0].inflight_messages == 0);
    const hooks::StoredClient& found = records.clients[1];
    CHECK(found.id == "busy");
    CHECK(found.queued_messages == 3);
    CHECK(found.queued_bytes ==
          small->footprint() + large->footprint() + mqtt::Message::make(fields)->footprint());
    CHECK(found.inflight_messages == 2);
    CHECK(found.last_position == 12);
    CHECK(found.next_expiry_ms == 15'000);
    CHECK(records.clients[2].inflight_messages == 1);
    CHECK(records.clients[2].last_position == 0);
}

TEST_CASE("counters come back; gauges are not kept") {
    const TempDir dir;
    StoreConfig config;
    config.counters = true;
    Stage stage(dir, config);
    stage.start();
    MetricsSnapshot snapshot;
    snapshot.bytes_received = 123'456'789'012;
    snapshot.messages_sent = 5;
    snapshot.clients_connected = 9;
    hooks::Event event(hooks::EventId::on_sys_info_tick, 1000);
    stage.hook->on_sys_info_tick(event, snapshot);
    stage.restart();
    MetricsSnapshot found;
    hooks::Event again(hooks::EventId::stored_sys_info, 0);
    CHECK(stage.hook->stored_sys_info(again, found) == Status::ok);
    CHECK(found.bytes_received == 123'456'789'012);
    CHECK(found.messages_sent == 5);
    CHECK(found.clients_connected == 0);
}

TEST_CASE("events of counters are asked for only when they are kept") {
    StoreConfig config;
    const auto tick = hooks::mask_of(hooks::EventId::on_sys_info_tick);
    CHECK((make_sqlite_store(config)->events() & tick) == 0);
    config.counters = true;
    CHECK((make_sqlite_store(config)->events() & tick) != 0);
}

}  // namespace comqtt::storage::test
