#include <doctest/doctest.h>

#include "mosquitto_builder.hpp"

using namespace comqtt;
using namespace comqtt::storage::tools;
using namespace tools_test;

namespace {

using State = MosquittoFile::State;

Result<MosquittoFile> parse(const std::string& bytes) {
    // In memory of its own size, so that a sanitizer sees a read past the end.
    const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
    auto file = parse_mosquitto_file(ByteView(exact));
    if (!file) return file.take_error();
    // What it points to is gone: only what it counts is looked at.
    return file;
}

std::string error_of(const std::string& bytes) {
    const auto file = parse(bytes);
    return file ? "" : file.error().message;
}

std::string full(uint32_t version) {
    return MosquittoBuilder(version)
        .message(1, "a/1", "hello", 2, true)
        .message(2, "a/2", std::string(1000, 'x'), 1)
        .client("one")
        .holds("one", 1, 7, 2, State::wait_for_pubrec)
        .holds("one", 2, 8, 1, State::queued)
        .client("two", 3600, 5000)
        .holds("two", 1, 9, 2, State::wait_for_pubrel, false)
        .subscription("one", "a/+", 2 | 8, 5)
        .subscription("two", "#", 1)
        .retained(1)
        .bytes();
}

}  // namespace

TEST_SUITE("storage/tools_mosquitto_file") {
    TEST_CASE("files of each version are read") {
        for (uint32_t version : {3u, 4u, 5u, 6u}) {
            CAPTURE(version);
            const std::string bytes = full(version);
            const auto file = parse_mosquitto_file(ByteView(std::string_view(bytes)));
            REQUIRE(file);
            const bool with_v5 = version >= 5;
            CHECK(file->version == version);
            REQUIRE(file->clients.size() == 2);
            CHECK(file->clients[0].id == "one");
            CHECK(file->clients[0].username == (version == 6 ? "user" : ""));
            CHECK(file->clients[1].session_expiry == (with_v5 ? 3600 : 0xFFFFFFFF));
            CHECK(file->clients[1].session_expires_s == (with_v5 ? 5000 : 0));
            CHECK(file->clients[1].last_packet_id == 1);
            REQUIRE(file->messages.size() == 2);
            CHECK(file->messages[0].id == 1);
            CHECK(file->messages[0].topic == "a/1");
            CHECK(file->messages[0].payload.text() == "hello");
            CHECK(file->messages[0].source_id == "source");
            CHECK(file->messages[0].qos == 2);
            CHECK(file->messages[0].retain);
            CHECK(file->messages[1].payload.size == 1000);
            REQUIRE(file->client_messages.size() == 3);
            CHECK(file->client_messages[0].client_id == "one");
            CHECK(file->client_messages[0].packet_id == 7);
            CHECK(file->client_messages[0].state == State::wait_for_pubrec);
            CHECK(file->client_messages[0].direction == MosquittoFile::Direction::out);
            CHECK(file->client_messages[2].direction == MosquittoFile::Direction::in);
            REQUIRE(file->subscriptions.size() == 2);
            CHECK(file->subscriptions[0].filter == "a/+");
            CHECK(file->subscriptions[0].options == (with_v5 ? 10 : 2));
            CHECK(file->subscriptions[0].identifier == (with_v5 ? 5 : 0));
            REQUIRE(file->retained.size() == 1);
            CHECK(file->retained[0].message == 1);
            CHECK(file->unknown_chunks == 0);
        }
    }

    TEST_CASE("properties are read from version 5 on") {
        const std::string text("\x03\0\x04text", 7);
        const std::string bytes = MosquittoBuilder()
                                      .message(1, "t", "p", 1, false, 77, text)
                                      .client("c")
                                      .holds("c", 1, 0, 1, State::queued, true, "\x0B\x07\x0B\x85\x01")
                                      .bytes();
        const auto file = parse_mosquitto_file(ByteView(std::string_view(bytes)));
        REQUIRE(file);
        CHECK(file->messages[0].properties.text() == text);
        CHECK(file->messages[0].expires_s == 77);
        CHECK(file->client_messages[0].identifiers == std::vector<uint32_t>{7, 133});
    }

    TEST_CASE("a chunk of an unknown kind is passed over and counted") {
        const std::string bytes = MosquittoBuilder().chunk(99, "whatever").client("c").bytes();
        const auto file = parse_mosquitto_file(ByteView(std::string_view(bytes)));
        REQUIRE(file);
        CHECK(file->unknown_chunks == 1);
        CHECK(file->clients.size() == 1);
    }

    TEST_CASE("what is wrong is told with its offset") {
        CHECK(error_of("") == "offset 0: not a mosquitto.db");
        CHECK(error_of("SQLite format 3") == "offset 0: not a mosquitto.db");
        CHECK(error_of(std::string(kMosquittoMagic)) == "offset 15: the file ends early");
        CHECK(error_of(MosquittoBuilder(7).bytes()) == "version 7 of mosquitto.db; 3 to 6 are known here");
        CHECK(error_of(MosquittoBuilder(2).bytes()) == "version 2 of mosquitto.db; 3 to 6 are known here");
        const size_t at = MosquittoBuilder().bytes().size();
        const std::string where = "offset " + std::to_string(at) + ": ";
        CHECK(error_of(MosquittoBuilder().bytes() + "abc") ==
              where + "the file ends in the middle of a chunk");
        CHECK(error_of(MosquittoBuilder().chunk(4, "1234").bytes()) ==
              where + "a chunk of type 4 that is shorter than its fields");
        CHECK(error_of(MosquittoBuilder().message(1, "t", "p", 3).bytes()) == where + "QoS 3");
        CHECK(error_of(MosquittoBuilder().holds("c", 1, 1, 1, static_cast<State>(12)).bytes()) ==
              where + "state 12");
        CHECK(error_of(MosquittoBuilder().holds("c", 1, 1, 1, State::queued, true, "\x01\x01").bytes())
                  .find("no subscription identifier") != std::string::npos);
        CHECK(
            error_of(
                MosquittoBuilder().chunk(1, std::string(9, '\0') + "\x04" + std::string(6, '\0')).bytes()) ==
            "numbers of messages have 4 bytes, not 8");
    }

    TEST_CASE("a file may end or be damaged anywhere") {
        for (uint32_t version : {4u, 6u}) {
            const std::string bytes = full(version);
            size_t whole = 0;
            for (size_t size = 0; size < bytes.size(); ++size)
                whole += static_cast<bool>(parse(bytes.substr(0, size)));
            CHECK(whole == 11);  // after the head, and after each chunk but the last
            for (size_t at = 0; at < bytes.size(); ++at) {
                for (const char with : {'\0', '\x7F', '\xFF'}) {
                    std::string damaged = bytes;
                    damaged[at] = with;
                    const auto file = parse(damaged);
                    if (!file) CHECK_FALSE(file.error().message.empty());
                }
            }
        }
    }
}
