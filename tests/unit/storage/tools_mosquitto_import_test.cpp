#include "storage/tools/mosquitto_import.hpp"

#include "mosquitto_builder.hpp"
#include "tools_fixture.hpp"

using namespace tools_test;

namespace {

using State = MosquittoFile::State;
constexpr int64_t kNow = 1'000'000'000'000;

/// A store made from a file, at a fixed time.
class Imported {
public:
    explicit Imported(const MosquittoBuilder& builder) : path(folder / "s.db") {
        const auto file = parse_mosquitto_file(ByteView(std::string_view(builder.bytes())));
        REQUIRE(file);
        auto db = open_to_change(path);
        REQUIRE(db);
        auto writer = RowWriter::begin(*db);
        REQUIRE(writer);
        const auto added = add_mosquitto_rows(*file, kNow, *writer, report.line());
        INFO(added.error().message);
        REQUIRE(added);
        REQUIRE(writer->finish());
    }
    int64_t number(const std::string& sql) const { return tools_test::number(path, sql); }
    /// Queue rows of a client that fulfil a condition.
    int64_t queued(const std::string& client, const std::string& condition) const {
        return number(
            "SELECT count(*) FROM queue q JOIN sessions s ON s.id = q.session LEFT JOIN messages m "
            "ON m.id = q.message WHERE client_id = '" +
            client + "' AND " + condition);
    }
    void expect_sound() const {
        Report checked;
        CHECK(check_store(path, checked.line()));
    }

    Folder folder;
    std::string path;
    Report report;
};

}  // namespace

TEST_SUITE("storage/tools_mosquitto_import") {
    TEST_CASE("sessions keep their expiry, and show by what they have whether they are of 5.0") {
        const Imported store(MosquittoBuilder()
                                 .client("old")
                                 .client("timed", 100, kNow / 1000 + 40)
                                 .client("optioned")
                                 .subscription("optioned", "x", 1 | 4)
                                 .subscription("old", "y/#", 1));
        store.expect_sound();
        CHECK(store.number(
                  "SELECT count(*) FROM sessions WHERE expiry_interval = 4294967295 AND version = 4 AND "
                  "client_id = 'old' AND username = 'user'") == 1);
        CHECK(
            store.number("SELECT disconnected_ms FROM sessions WHERE client_id = 'timed' AND version = 5") ==
            kNow - 60'000);
        CHECK(store.number("SELECT version FROM sessions WHERE client_id = 'optioned'") == 5);
        CHECK(store.number("SELECT options FROM subscriptions WHERE filter = 'x'") == 5);
    }

    TEST_CASE("each state of an outbound message becomes that of a queue row") {
        MosquittoBuilder builder;
        builder.message(1, "t", "p", 2).client("c");
        builder.holds("c", 1, 1, 1, State::wait_for_puback);
        builder.holds("c", 1, 2, 1, State::publish_qos1);
        builder.holds("c", 1, 3, 2, State::wait_for_pubrec);
        builder.holds("c", 1, 4, 2, State::wait_for_pubcomp);
        builder.holds("c", 1, 5, 2, State::resend_pubrel);
        builder.holds("c", 1, 6, 1, State::queued);
        builder.holds("c", 1, 0, 0, State::publish_qos0);
        const Imported store(builder);
        store.expect_sound();
        CHECK(store.queued("c", "q.position = 1 AND q.packet_id = 1 AND q.flags = 1") == 1);
        CHECK(store.queued("c", "q.position = 2 AND q.packet_id = 2 AND q.flags = 1") == 1);
        CHECK(store.queued("c", "q.position = 3 AND q.packet_id = 3 AND q.flags = 2 AND topic = 't'") == 1);
        CHECK(store.queued("c",
                           "q.position = 4 AND q.packet_id = 4 AND q.flags = 10 AND q.message IS NULL") == 1);
        CHECK(store.queued("c",
                           "q.position = 5 AND q.packet_id = 5 AND q.flags = 10 AND q.message IS NULL") == 1);
        CHECK(store.queued("c", "q.position = 6 AND q.packet_id = 0 AND q.flags = 1") == 1);
        CHECK(store.queued("c", "q.position = 7 AND q.packet_id = 0 AND q.flags = 0") == 1);
        CHECK(store.number("SELECT refs FROM messages") == 5);
    }

    TEST_CASE("a message that waits for PUBREL of its sender is passed on, once") {
        const Imported store(MosquittoBuilder()
                                 .message(1, "t/1", "p", 2, true)
                                 .client("sender")
                                 .holds("sender", 1, 77, 2, State::wait_for_pubrel, false)
                                 .client("receiver")
                                 .client("quiet")
                                 .client("source")
                                 .subscription("receiver", "t/#", 1 | 8, 3)
                                 .subscription("receiver", "t/1", 2, 4)
                                 .subscription("quiet", "t/#", 0)
                                 .subscription("source", "#", 2 | 4));
        store.expect_sound();
        CHECK(store.number("SELECT packet_id FROM received") == 77);
        CHECK(store.queued("receiver",
                           "q.flags = 6 AND q.packet_id = 0 AND "
                           "hex(q.identifiers) = '0000000300000004'") == 1);
        CHECK(store.number("SELECT count(*) FROM queue") == 1);  // No Local; QoS 0 is not queued
        CHECK(store.number("SELECT count(*) FROM retained WHERE topic = 't/1'") == 1);
        CHECK(store.report.has("passed on"));
    }

    TEST_CASE("expired messages are left out, others keep their time") {
        const Imported store(MosquittoBuilder()
                                 .message(1, "gone", "p", 1, true, kNow / 1000 - 1)
                                 .message(2, "there", "p", 1, true, kNow / 1000 + 30)
                                 .client("c")
                                 .holds("c", 1, 1, 1, State::queued)
                                 .holds("c", 2, 2, 1, State::queued)
                                 .retained(1)
                                 .retained(2));
        store.expect_sound();
        CHECK(store.number("SELECT expiry FROM messages") == 30);
        CHECK(store.number("SELECT expires_ms FROM queue") == kNow + 30'000);
        CHECK(store.number("SELECT count(*) FROM queue") == 1);
        CHECK(store.number("SELECT count(*) FROM retained WHERE topic = 'there' AND expiry = 30") == 1);
        CHECK(store.number("SELECT count(*) FROM retained") == 1);
    }

    TEST_CASE("one message in several queues is stored once, with its properties and its publisher") {
        const std::string type("\x03\0\x04text", 7);
        const Imported store(MosquittoBuilder()
                                 .message(9, "t", "p", 1, false, 0, type)
                                 .client("a")
                                 .holds("a", 9, 1, 1, State::queued, true, "\x0B\x07")
                                 .client("b")
                                 .holds("b", 9, 1, 1, State::queued));
        store.expect_sound();
        CHECK(store.number("SELECT count(*) FROM messages WHERE refs = 2 AND origin = 'source' AND "
                           "hex(properties) = '03000474657874'") == 1);
        CHECK(store.queued("a", "hex(q.identifiers) = '00000007'") == 1);
        CHECK(store.queued("b", "q.identifiers IS NULL") == 1);
    }

    TEST_CASE("a packet identifier used twice is kept by the first") {
        const Imported store(MosquittoBuilder()
                                 .message(1, "t", "p", 1)
                                 .client("c")
                                 .holds("c", 1, 5, 1, State::wait_for_puback)
                                 .holds("c", 1, 5, 1, State::wait_for_puback));
        store.expect_sound();
        CHECK(store.queued("c", "q.packet_id = 5") == 1);
        CHECK(store.queued("c", "q.packet_id = 0") == 1);
        CHECK(store.report.has("sent again"));
    }

    TEST_CASE("what cannot be is refused with its offset, and nothing is imported") {
        const Folder folder;
        MosquittoBuilder head;
        const size_t first = head.bytes().size();
        const std::string bad[] = {
            MosquittoBuilder().message(1, "t/#", "p", 1).bytes(),
            MosquittoBuilder().subscription("nobody", "t", 1).bytes(),
            MosquittoBuilder().holds("nobody", 1, 1, 1, State::queued).bytes(),
            MosquittoBuilder().client("").bytes(),
            MosquittoBuilder().message(1, "t", "p", 1, false, INT64_MAX).bytes(),
            MosquittoBuilder().message(1, "t", "p", 1, false, 0, "\x7F").bytes(),
        };
        for (const std::string& bytes : bad) {
            write_file(folder / "mosquitto.db", bytes);
            Report report;
            const auto done =
                import_store(folder / "s.db", folder / "mosquitto.db", ImportFormat::detect, report.line());
            REQUIRE_FALSE(done);
            CHECK(done.error().status == Status::invalid_argument);
            CAPTURE(done.error().message);
            CHECK(done.error().message.find("offset " + std::to_string(first) + ":") != std::string::npos);
            CHECK_FALSE(file_exists(folder / "s.db"));
        }
    }
}
