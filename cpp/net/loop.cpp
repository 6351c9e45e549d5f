#include "net/loop.hpp"

#include "base/thread.hpp"
#include "net/socket_link.hpp"

namespace comqtt::net {

namespace {
/// Handlers per round: enough to batch, few enough to keep others waiting little.
constexpr int kHandlersPerRound = 128;
constexpr std::chrono::milliseconds kMoreTime{1};
/// After so long a round ends whatever else is ready: what it has written goes out at its end only.
constexpr std::chrono::milliseconds kRoundTime{2};
constexpr size_t kTurnsPerRound = 64;
/// The loop whose thread this is. Not the thread's id: that is written while the thread may run already.
thread_local const Loop* running = nullptr;
}  // namespace

void Loops::wake(unsigned shard) {
    if (shard < loops.size()) loops[shard]->wake();
}

Loop::Loop(Loops& all, broker::Shard& shard, size_t buffer_size, bool real_time)
    : all_(all),
      shard_(shard),
      work_(asio::make_work_guard(io_)),
      timer_(io_),
      buffer_(buffer_size),
      real_time_(real_time) {}

Loop::~Loop() {
    stop();
    join();
}

void Loop::start() {
    thread_ = start_thread(std::to_string(shard_.number()), [this] { run(); });
}

void Loop::stop() {
    stopping_.store(true, std::memory_order_release);
    asio::post(io_, [] {});
}

void Loop::join() {
    if (thread_.joinable()) thread_.join();
    turns_.close();
}

bool Loop::on_thread() const { return running == this; }

void Loop::enter() {
    if (entered_) return;
    entered_ = true;
    shard_.begin_round();
}

void Loop::wake() {
    if (!awake_.exchange(true, std::memory_order_acq_rel)) asio::post(io_, [] {});
}

void Loop::post_in_turn(Turns::Work work) {
    turns_.add(std::move(work));
    wake();
}

void Loop::run() {
    running = this;
    while (!stopping_.load(std::memory_order_acquire)) {
        shard_.contain(nullptr, [&] { set_timer(); });
        shard_.contain(nullptr, [&] {
            if (!shard_.busy() && turns_.empty()) io_.run_one();
            if (handle_ready() == kHandlersPerRound) handle_more();
        });
        round();
    }
    running = nullptr;
}

/// What is ready, or a round's share of it; how much that was.
int Loop::handle_ready() {
    std::chrono::steady_clock::time_point until;
    for (int handled = 0;; ++handled) {
        if (handled == kHandlersPerRound || !io_.poll_one()) return handled;
        // The clock is not read where a single connection is served.
        const auto now = std::chrono::steady_clock::now();
        if (handled == 0) until = now + kRoundTime;
        if (now >= until) return handled;
    }
}

/// There is more than a round's share. What costs little, such as pipes that have nothing to read, is not to queue up
/// behind the mail of many rounds.
void Loop::handle_more() {
    const auto until = std::chrono::steady_clock::now() + kMoreTime;
    do {
        for (int i = 0; i < kHandlersPerRound / 4; ++i)
            if (!io_.poll_one()) return;
    } while (std::chrono::steady_clock::now() < until);
}

void Loop::take_turns() {
    for (const Turns::Work& work : turns_.take(kTurnsPerRound)) shard_.contain(nullptr, work);
}

void Loop::round() {
    enter();
    awake_.exchange(false, std::memory_order_acq_rel);  // sees what was put in before an earlier wake()
    shard_.contain(nullptr, [&] { take_turns(); });
    shard_.contain(nullptr, [&] { shard_.read_mail(); });
    shard_.contain(nullptr, [&] { shard_.run_deadlines(); });
    shard_.contain(nullptr, [&] { shard_.end_round(); });
    entered_ = false;
}

void Loop::set_timer() {
    if (!real_time_) return;
    const int64_t next = shard_.next_deadline_ms();
    if (next >= timer_at_ms_) return;
    timer_at_ms_ = next;
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::milliseconds(next)));
    timer_.async_wait([this](const asio::error_code& error) {
        if (error) return;  // set to another time
        timer_at_ms_ = INT64_MAX;
    });
}

void Loop::adopt(int fd, broker::PeerInfo peer, ConnectionCount count, std::vector<uint8_t> received) {
    enter();
    SocketLink::open(*this, fd, std::move(peer), std::move(count), std::move(received));
}

}  // namespace comqtt::net
