#include "sim/wire.hpp"

#include <algorithm>

#include "base/spoil.hpp"
#include "sim/sim.hpp"

namespace comqtt::sim {

void Wire::send(const std::vector<uint8_t>& bytes) {
    if (closed_by_client()) fail("wire {}: the client sends after it closed", number);
    to_broker_.insert(to_broker_.end(), bytes.begin(), bytes.end());
}

std::vector<uint8_t> Wire::read(size_t limit) {
    const size_t count = std::min(limit, readable());
    const auto begin = to_client_.begin() + static_cast<ptrdiff_t>(client_at_);
    std::vector<uint8_t> bytes(begin, begin + static_cast<ptrdiff_t>(count));
    client_at_ += count;
    if (client_at_ == to_client_.size()) {
        to_client_.clear();
        client_at_ = 0;
    }
    if (count) sim_.note_activity();
    return bytes;
}

void Wire::close() { closed_ = true; }

void Wire::reset() {
    reset_ = true;
    // The broker may or may not have the last bytes already.
    const size_t kept = sim_.random.below(unread_by_broker() + 1);
    lost_input_ = kept < unread_by_broker();
    to_broker_.resize(broker_at_ + kept);
    to_client_.clear();
    client_at_ = 0;
}

bool Wire::has_news() const {
    if (gone_) return false;
    if (arriving_ || aborted_ || reset_) return true;
    if (wants_writable_ && readable() < capacity) return true;
    const bool reads = !paused_ || finished_;
    return reads && (unread_by_broker() || closed_);
}

bool Wire::quiet() const { return !has_news() && (gone_ || (readable() == 0 && unread_by_broker() == 0)); }

size_t Wire::write(const iovec* parts, int count) {
    demand(!gone_ && !finished_, "wire {}: written to after its end", number);
    size_t offered = 0;
    for (int i = 0; i < count; ++i) offered += parts[i].iov_len;
    demand(offered > 0, "wire {}: an empty write", number);
    if (reset_ || aborted_) return offered;  // goes nowhere, the end is told later
    size_t room = capacity - std::min(capacity, readable());
    if (room && sim_.random.chance(10)) room = sim_.random.below(room) + 1;
    size_t taken = 0;
    for (int i = 0; i < count && taken < room; ++i) {
        const size_t size = std::min(room - taken, parts[i].iov_len);
        const auto* bytes = static_cast<const uint8_t*>(parts[i].iov_base);
        to_client_.insert(to_client_.end(), bytes, bytes + size);
        taken += size;
    }
    if (taken < offered) {
        demand(!wants_writable_, "wire {}: written to while blocked", number);
        wants_writable_ = true;
    }
    if (taken) sim_.note_activity();
    return taken;
}

void Wire::pause_reading() {
    demand(!gone_ && !paused_, "wire {}: paused twice or after its end", number);
    paused_ = true;
    ++pauses_;
    sim_.note("wire {} paused", number);
}

void Wire::resume_reading() {
    demand(!gone_ && paused_, "wire {}: resumed without a pause or after its end", number);
    paused_ = false;
    sim_.note_activity();  // there may be something to read
    sim_.note("wire {} resumed", number);
}

broker::Arrived Wire::read_arrived(size_t limit) {
    demand(!gone_ && !arriving_, "wire {}: read before or after its time", number);
    if (finished_ || aborted_) return {0, true};
    const size_t count = std::min(limit, unread_by_broker());
    if (count == 0) return {0, closed_ || reset_};
    give(sim_.shard(shard_), count);
    return {count, false};
}

/// Hands the broker the next bytes: a block of its own, so that reading past its end is seen.
void Wire::give(broker::Shard& shard, size_t count) {
    const auto begin = to_broker_.begin() + static_cast<ptrdiff_t>(broker_at_);
    std::vector<uint8_t> bytes(begin, begin + static_cast<ptrdiff_t>(count));
    broker_at_ += count;
    if (broker_at_ == to_broker_.size()) {
        to_broker_.clear();
        broker_at_ = 0;
    }
    sim_.note_activity();
    shard.receive(*connection_, ByteView(bytes));
    spoil(bytes);
}

void Wire::note_end() {
    if (ended_ms_ < 0) ended_ms_ = sim_.now_ms();
}

void Wire::finish(int64_t) {
    demand(!gone_ && !finished_, "wire {}: finished twice or after its end", number);
    finished_ = true;
    note_end();
    sim_.note_activity();
    sim_.note("wire {} finished by the broker", number);
}

void Wire::abort() {
    demand(!gone_, "wire {}: aborted after its end", number);
    if (aborted_) return;
    aborted_ = true;
    note_end();
    sim_.note_activity();
    sim_.note("wire {} aborted by the broker", number);
}

void Wire::move_to(unsigned shard, broker::PeerInfo peer, std::vector<uint8_t> received) {
    demand(!gone_ && !finished_ && !aborted_ && shard != shard_, "wire {}: moved to {} in a wrong state",
           number, shard);
    connection_ = nullptr;
    paused_ = wants_writable_ = false;
    shard_ = UINT32_MAX;
    sim_.note("wire {} moves to shard {} with {} bytes", number, shard, received.size());
    sim_.core->mailboxes[shard]->post(
        [this, shard, peer = std::move(peer), received = std::move(received)](broker::Shard& target) {
            shard_ = shard;
            accept(target, peer, received);
        });
}

void Wire::accept(broker::Shard& shard, broker::PeerInfo peer, const std::vector<uint8_t>& received) {
    arriving_ = false;
    sim_.note_activity();
    connection_ = shard.accept(*this, std::move(peer));
    if (!connection_) {
        gone_ = true;
        note_end();
        return;
    }
    if (!received.empty()) shard.receive(*connection_, ByteView(received));
}

void Wire::tell(broker::Shard& shard, bool everything) {
    support::Random& random = sim_.random;
    if (arriving_) {
        accept(shard, {"sim:" + std::to_string(number), "sim", false}, {});
        if (gone_) return;
    }
    if (wants_writable_ && (readable() < capacity || reset_) && (everything || random.chance(60))) {
        wants_writable_ = false;
        sim_.note_activity();
        shard.on_writable(*connection_);
    }
    if (everything || random.chance(80)) tell_input(shard, everything);
    if (!connection_) return;
    if (aborted_) {
        tell_closed(shard, "closed by the server");
    } else if (reset_ && unread_by_broker() == 0 && (everything || random.chance(50))) {
        tell_closed(shard, "connection reset by peer");
    } else if (closed_ && unread_by_broker() == 0 && (!paused_ || finished_) &&
               (everything || random.chance(50))) {
        tell_closed(shard, "");
    }
}

void Wire::tell_input(broker::Shard& shard, bool everything) {
    support::Random& random = sim_.random;
    while (connection_ && !aborted_ && unread_by_broker()) {
        if (finished_) {
            broker_at_ = to_broker_.size();  // read and thrown away
        } else if (paused_) {
            if (!reset_ || broker::Shard::waits_for_turn(*connection_)) break;
            broker_at_ = to_broker_.size();
            lost_input_ = true;
        } else {
            size_t count = std::min(unread_by_broker(), shard.read_limit(*connection_));
            if (!everything)
                count = random.chance(30) ? random.between(1, std::min<size_t>(count, 24))
                                          : random.between(1, count);
            give(shard, count);
        }
        if (broker_at_ == to_broker_.size()) {
            to_broker_.clear();
            broker_at_ = 0;
        }
        if (!everything) break;
    }
}

void Wire::tell_closed(broker::Shard& shard, const char* error) {
    note_end();
    sim_.note_activity();
    sim_.note("wire {} closed: {}", number, error);
    // A client that closed in order may still be written to from inside.
    shard.on_closed(*connection_, error);
    connection_ = nullptr;
    gone_ = true;
}

}  // namespace comqtt::sim
