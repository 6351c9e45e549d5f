#include "unit/storage/store_stage.hpp"

namespace comqtt::storage::test {

namespace {

std::vector<uint64_t> positions(const hooks::Load& load) {
    std::vector<uint64_t> found;
    for (const hooks::StoredMessage& message : load.messages) found.push_back(message.position);
    return found;
}

}  // namespace

TEST_CASE("a loaded message is the packet that was delivered, with its origin, time and share") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    mqtt::Properties properties;
    properties.set_text(mqtt::PropertyId::content_type, "text/plain");
    properties.add_user("k", "v");
    std::vector<uint8_t> raw;
    ByteWriter writer(raw);
    mqtt::encode_properties(writer, properties);
    mqtt::MessageFields fields;
    fields.topic_name = ByteView(std::string_view("a/b"));
    fields.payload = ByteView(std::string_view("p\0q", 3));
    fields.properties = ByteView(raw).from(1);
    fields.origin_id = ByteView(std::string_view("publisher"));
    fields.qos = 2;
    fields.retain = true;
    fields.has_expiry = true;
    fields.expiry_interval = 3600;
    fields.created_ms = 1'700'000'000'000;
    Batch batch;
    batch.save(client);
    Change& change = batch.queue(client, 5, mqtt::Message::make(fields));
    change.qos = 1;
    change.retain = true;
    change.details = std::make_unique<Change::Details>();
    change.details->identifiers = {1, 268'435'455};
    change.details->text = "$share/g/a/+";
    stage.commit(batch);

    const auto load = stage.page("c");
    REQUIRE(load->status() == Status::ok);
    REQUIRE(load->messages.size() == 1);
    const hooks::StoredMessage& found = load->messages[0];
    CHECK(found.client_id == "c");
    CHECK(found.origin == "publisher");
    CHECK(found.created_ms == 1'700'000'000'000);
    CHECK(found.position == 5);
    CHECK(found.share == "$share/g/a/+");
    CHECK(found.state == State::queued);
    CHECK(found.packet.type == mqtt::PacketType::publish);
    CHECK(found.packet.version == mqtt::Version::v5);
    CHECK(found.packet.topic_name == "a/b");
    CHECK(found.packet.payload == std::string("p\0q", 3));
    CHECK(found.packet.qos == 1);
    CHECK(found.packet.retain);
    CHECK(found.packet.packet_id == 0);
    properties.set_number(mqtt::PropertyId::message_expiry_interval, 3600);
    properties.add_number(mqtt::PropertyId::subscription_identifier, 1);
    properties.add_number(mqtt::PropertyId::subscription_identifier, 268'435'455);
    CHECK(found.packet.properties == properties);
}

TEST_CASE("a first page has all that is in flight both ways and the beginning of the queue") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    Batch batch;
    batch.save(client);
    for (uint64_t position = 1; position <= 10; ++position)
        batch.queue(client, position, message_of("t", "x")).qos = 2;
    batch.at(Kind::message_sent, client, 1, 101).at(Kind::message_sent, client, 2, 102);
    batch.at(Kind::message_released, client, 2);
    batch.received(Kind::received_added, client, 9).received(Kind::received_added, client, 7);
    stage.commit(batch);
    stage.commit(Batch().at(Kind::message_sent, client, 3, 103).received(Kind::received_removed, client, 9));

    const auto load = stage.page("c", 0, 3);
    REQUIRE(load->messages.size() == 7);
    CHECK(load->messages[0].state == State::sent);
    CHECK(load->messages[0].packet.packet_id == 101);
    CHECK(load->messages[1].state == State::released);
    CHECK(load->messages[1].packet.packet_id == 102);
    CHECK(load->messages[2].state == State::sent);
    CHECK(load->messages[2].packet.packet_id == 103);
    CHECK(load->messages[3].state == State::received);
    CHECK(load->messages[3].packet.packet_id == 7);
    CHECK(positions(*load) == std::vector<uint64_t>{1, 2, 3, 0, 4, 5, 6});
}

TEST_CASE("further pages follow one another in order, within their limits") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c"), other = client_of("d");
    const auto message = message_of("t", std::string(1000, 'x'));
    Batch batch;
    batch.save(client).save(other);
    for (uint64_t position = 1; position <= 9; ++position) batch.queue(client, position, message);
    batch.queue(other, 4, message);
    batch.at(Kind::message_sent, client, 9, 1);
    stage.commit(batch);

    CHECK(positions(*stage.page("c", 2, 3)) == std::vector<uint64_t>{3, 4, 5});
    CHECK(positions(*stage.page("c", 5, 100)) == std::vector<uint64_t>{6, 7, 8});  // 9 is in flight
    CHECK(positions(*stage.page("c", 8)).empty());
    CHECK(positions(*stage.page("c", 2, 100, 2 * message->footprint())) == std::vector<uint64_t>{3, 4});
    // The first may be larger than the limit.
    CHECK(positions(*stage.page("c", 2, 100, 1)) == std::vector<uint64_t>{3});
    CHECK(positions(*stage.page("c", 2, 100, 2 * message->footprint() - 1)) == std::vector<uint64_t>{3});
}

TEST_CASE("a load sees every batch that its shard handed over before") {
    const TempDir dir;
    StoreConfig config;
    config.durability = Durability::relaxed;
    config.flush_interval_ms = 3'600'000;  // the load itself must bring the commit about
    Stage stage(dir, config);
    stage.start();
    const auto client = client_of("c");
    stage.post(Batch().save(client));
    REQUIRE(stage.last_answer == Status::ok);
    for (uint64_t position = 1; position <= 20; ++position) {
        Batch batch;
        batch.queue(client, position, message_of("t", "x"));
        stage.post(batch);
        CHECK(stage.page("c")->messages.size() == position);
    }
}

TEST_CASE("load_messages answers not_found for a client that has no session") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    CHECK(stage.page("nobody")->status() == Status::not_found);
}

TEST_CASE("load_session gives the client, its subscriptions and a page, or not_found at once") {
    const TempDir dir;
    Stage stage(dir);
    stage.start();
    const auto client = client_of("c");
    Batch batch;
    batch.save(client).subscribe(client, "a").subscribe(client, "b/#");
    batch.queue(client, 1, message_of("t", "x"), 1);
    batch.queue(client, 2, message_of("t", "y"));
    batch.received(Kind::received_added, client, 5);
    stage.commit(batch);
    stage.restart();
    const auto load = stage.load({"c", true, 0, 0, 0, 0});
    REQUIRE(load->status() == Status::ok);
    REQUIRE(load->client);
    CHECK(load->client->id == "c");
    CHECK(load->client->queued_messages == 1);
    CHECK(load->client->inflight_messages == 2);
    CHECK(load->client->last_position == 2);
    CHECK(load->subscriptions.size() == 2);
    CHECK(load->messages.size() == 3);

    auto unknown = Ref<hooks::Load>::adopt(new hooks::Load({"nobody", true, 0, 1, 1, 0}, {}));
    hooks::Event event(hooks::EventId::load_session, 0);
    CHECK(stage.hook->load_session(event, *unknown) == Status::not_found);
    Batch end;
    end.add(Kind::session_removed, client);
    stage.commit(end);
    CHECK(stage.load({"c", true, 0, 0, 0, 0})->status() == Status::not_found);
}

}  // namespace comqtt::storage::test
