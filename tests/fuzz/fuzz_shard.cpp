// A whole shard, fed whatever a client may send: it stays sound, ends what it must end, and another client of it is
// served all the while. The first byte gives the version, whether a good CONNECT goes first, and whether the client
// reads; the second the size of the pieces; the rest are the bytes.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "auth/allow_all.hpp"
#include "base/clock.hpp"
#include "broker/core.hpp"
#include "broker/shard.hpp"

using namespace comqtt;
using namespace comqtt::broker;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

class Peer final : public Link {
public:
    size_t write(const iovec* parts, int count) override {
        size_t taken = 0;
        for (int i = 0; i < count; ++i) {
            const size_t size = std::min(room, parts[i].iov_len);
            received.append(static_cast<const char*>(parts[i].iov_base), size);
            room -= size;
            taken += size;
        }
        return taken;
    }
    void pause_reading() override { paused = true; }
    void resume_reading() override { paused = false; }
    Arrived read_arrived(size_t) override { return {}; }
    void finish(int64_t) override { ended = true; }
    void abort() override { ended = true; }
    void move_to(unsigned, PeerInfo, std::vector<uint8_t>) override { require(false); }

    Connection* connection = nullptr;
    std::string received;
    size_t room = SIZE_MAX;
    bool paused = false;
    bool ended = false;
};

class Stage final : public Host {
public:
    Stage() {
        core.shards.push_back(std::make_unique<Shard>(core, 0, 1024));
        require(static_cast<bool>(core.hooks.add(std::make_shared<auth::AllowAll>())));
    }
    ~Stage() {
        for (const auto& mailbox : core.mailboxes) mailbox->close();
        core.shards.clear();
    }
    void wake(unsigned) override {}

    Shard& shard() { return *core.shards[0]; }
    void open(Peer& peer) {
        shard().begin_round();
        peer.connection = shard().accept(peer, {"fuzz", "fuzz"});
        require(peer.connection != nullptr);
        round();
    }
    void send(Peer& peer, ByteView bytes) {
        if (peer.ended || peer.paused) return;
        shard().begin_round();
        shard().receive(*peer.connection, bytes);
        round();
    }
    void close(Peer& peer) {
        shard().begin_round();
        shard().on_closed(*peer.connection, "");
        round();
    }
    void pass(int64_t ms) {
        clock->set(clock->monotonic_ms() + ms);
        shard().begin_round();
        round();
    }

private:
    void round() {
        for (;;) {
            shard().read_mail();
            shard().run_deadlines();
            shard().end_round();
            if (shard().idle()) break;
            shard().begin_round();
        }
    }

    const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Core core{{}, Log{}, clock, *this, 1, 1};
};

ByteView text(std::string_view bytes) { return ByteView(bytes); }

constexpr std::string_view kConnect5(
    "\x10\x0F\0\x04MQTT\x05\x02\0\0\0\0\x02"
    "fz",
    17);
constexpr std::string_view kConnect311(
    "\x10\x0E\0\x04MQTT\x04\x02\0\0\0\x02"
    "fz",
    16);
constexpr std::string_view kConnectWatcher(
    "\x10\x13\0\x04MQTT\x04\x02\0\0\0\x07"
    "watcher",
    21);
constexpr std::string_view kSubscribe("\x82\x07\0\x01\0\x02w1\0", 9);
constexpr std::string_view kPublish("\x30\x06\0\x02w1hi", 8);

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    Stage stage;
    Peer watcher, fuzzed;
    stage.open(watcher);
    stage.send(watcher, text(kConnectWatcher));
    stage.send(watcher, text(kSubscribe));
    require(!watcher.ended && watcher.received.size() == 9);

    stage.open(fuzzed);
    if (data[0] & 1) stage.send(fuzzed, text(data[0] & 2 ? kConnect5 : kConnect311));
    if (data[0] & 4) fuzzed.room = data[1];
    const size_t piece = data[0] & 8 ? size : size_t{1} + data[1];
    const ByteView bytes(data + 2, size - 2);
    for (size_t at = 0; at < bytes.size; at += piece)
        stage.send(fuzzed, bytes.subview(at, std::min(piece, bytes.size - at)));
    stage.pass(data[1] * 100);

    watcher.received.clear();
    stage.send(watcher, text(kPublish));
    if (!watcher.ended) require(watcher.received.find(kPublish) != std::string::npos);
    stage.close(fuzzed);
    stage.pass(1'000'000);
    stage.close(watcher);
    require(stage.shard().connection_count() == 0);
    return 0;
}
