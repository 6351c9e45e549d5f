#include <doctest/doctest.h>

#include <thread>

#include "auth/allow_all.hpp"
#include "server/server.hpp"
#include "unit/mqtt/wire.hpp"

using namespace comqtt;
using mqtt::test::Bytes;
using mqtt::test::hex;
using mqtt::test::wire;

namespace {

constexpr int64_t kPatience = 20'000;  ///< milliseconds, for what is certain to come

const Bytes kConnect = wire("10 0E 00 04 'MQTT' 05 02 00 00 00 00 01 'c'");
constexpr char kConnackFirst = 0x20;

/// A running server without a network, and one connection to it.
struct Stage {
    std::unique_ptr<server::Server> server = make_server();
    Ref<Pipe> pipe = open();

    Ref<Pipe> open() { return server->open_pipe("pipe", "test").take(); }
    /// Up to `capacity` bytes, in one read.
    Bytes read(size_t capacity, Status expected = Status::ok) {
        Bytes bytes(capacity);
        size_t count = 99;
        const Status status = pipe->read(bytes.data(), capacity, kPatience, count);
        CHECK(int(status) == int(expected));
        REQUIRE(count <= capacity);
        bytes.resize(count);
        return bytes;
    }
    /// One whole packet of less than 128 bytes, read in pieces.
    Bytes packet(size_t piece = 1) {
        Bytes bytes;
        while (bytes.size() < 2 || bytes.size() < 2u + bytes[1]) {
            const size_t left = bytes.size() < 2 ? 2 - bytes.size() : 2u + bytes[1] - bytes.size();
            const Bytes more = read(left < piece ? left : piece);
            REQUIRE_FALSE(more.empty());
            bytes.insert(bytes.end(), more.begin(), more.end());
        }
        return bytes;
    }
    void connect() {
        REQUIRE(pipe->write(kConnect) == Status::ok);
        REQUIRE(packet().at(0) == kConnackFirst);
    }

private:
    static std::unique_ptr<server::Server> make_server() {
        server::Options options;
        options.threads = 1;
        auto made = server::Server::create(std::move(options)).take();
        REQUIRE(made->add_hook(std::make_shared<auth::AllowAll>()));
        REQUIRE(made->start());
        return made;
    }
};

}  // namespace

TEST_CASE("a pipe carries bytes both ways, in pieces of any size") {
    for (const size_t piece : {1, 3, 1000}) {
        Stage stage;
        for (const uint8_t byte : kConnect) REQUIRE(stage.pipe->write({&byte, 1}) == Status::ok);
        CHECK(stage.packet(piece).at(0) == kConnackFirst);
        REQUIRE(stage.pipe->write(wire("C0 00 C0 00")) == Status::ok);
        CHECK(hex(stage.packet(piece)) == "D0 00");
        CHECK(hex(stage.packet(piece)) == "D0 00");
    }
}

TEST_CASE("a read that does not wait tells that there is nothing") {
    Stage stage;
    stage.connect();
    uint8_t byte;
    size_t count = 99;
    CHECK(stage.pipe->read(&byte, 1, 0, count) == Status::timeout);
    CHECK(count == 0);
    CHECK(stage.pipe->read(&byte, 1, 1, count) == Status::timeout);
}

TEST_CASE("bytes that do not fit are refused as a whole, and the pipe goes on") {
    Stage stage;
    stage.connect();
    CHECK(stage.pipe->write(Bytes((1u << 20) + 1)) == Status::queue_full);
    REQUIRE(stage.pipe->write(wire("C0 00")) == Status::ok);
    CHECK(hex(stage.packet()) == "D0 00");
}

TEST_CASE("what the broker wrote before it closed can still be read") {
    Stage stage;
    REQUIRE(stage.pipe->write(kConnect) == Status::ok);
    REQUIRE(stage.pipe->write(wire("F7 00")) == Status::ok);  // AUTH with flags: malformed
    CHECK(stage.packet().at(0) == kConnackFirst);
    const Bytes disconnect = stage.packet();
    CHECK(disconnect.at(0) == 0xE0);
    CHECK(disconnect.at(2) == 0x81);
    CHECK(stage.read(1, Status::closed).empty());
    CHECK(stage.pipe->write(wire("C0 00")) == Status::closed);
}

TEST_CASE("closing ends a read that waits for ever, and its client may connect again") {
    Stage stage;
    stage.connect();
    Status status = Status::ok;
    std::thread reader([&] {
        uint8_t byte;
        size_t count;
        status = stage.pipe->read(&byte, 1, -1, count);
    });
    stage.pipe->close();
    reader.join();
    CHECK(status == Status::closed);
    CHECK(stage.pipe->write(wire("C0 00")) == Status::closed);
    stage.pipe->close();
    stage.pipe = stage.open();
    stage.connect();
}

TEST_CASE("a pipe outlives its server and is closed then") {
    Stage stage;
    stage.connect();
    stage.server.reset();
    CHECK(stage.packet().at(0) == 0xE0);
    CHECK(stage.read(1, Status::closed).empty());
    CHECK(stage.pipe->write(wire("C0 00")) == Status::closed);
    stage.pipe->close();
}

TEST_CASE("pipes that a server had no time to open are closed when it ends") {
    constexpr size_t kPipes = 20'000;
    Stage stage;
    std::vector<Ref<Pipe>> pipes;
    for (size_t i = 0; i < kPipes; ++i) {
        pipes.push_back(stage.open());
        if (i % 2) REQUIRE(pipes.back()->write(kConnect) != Status::invalid_argument);
    }
    stage.server.reset();
    for (const Ref<Pipe>& pipe : pipes) {
        Bytes bytes(256);
        size_t count = 0;
        Status status;
        while ((status = pipe->read(bytes.data(), bytes.size(), kPatience, count)) == Status::ok) {
        }
        REQUIRE(int(status) == int(Status::closed));
        REQUIRE(int(pipe->write(kConnect)) == int(Status::closed));
        pipe->close();
    }
}
