#pragma once
// Sim: a broker core with its shards on one thread. One seeded generator decides which shard runs, how many bytes
// it is given, when mailboxes are drained and when time moves: the same seed gives the same history.

#include <memory>
#include <string>
#include <vector>

#include "auth/allow_all.hpp"
#include "base/clock.hpp"
#include "broker/core.hpp"
#include "broker/shard.hpp"
#include "sim/failure.hpp"
#include "sim/wire.hpp"
#include "support/random.hpp"

namespace comqtt::sim {

struct Settings {
    uint64_t seed = 1;
    unsigned shards = 1;
    broker::Config config;
    bool allow_all = true;  ///< adds the allow-all hook
    bool trace = false;     ///< keeps a line for each thing that happens
};

class Sim final : public broker::Host {
public:
    explicit Sim(Settings settings);
    ~Sim();
    Sim(const Sim&) = delete;
    Sim& operator=(const Sim&) = delete;

    /// The broker may have to wait longer for a verdict than a CONNECT waits for the connection before it.
    bool verdicts_are_slow = false;
    /// What has arrived on a connection may be handled some rounds later, and its end with it.
    const bool little_at_a_time;
    support::Random random;
    const std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    const std::unique_ptr<broker::Core> core;

    broker::Shard& shard(unsigned number) { return *core->shards[number]; }
    unsigned shard_count() const { return static_cast<unsigned>(core->shards.size()); }
    int64_t now_ms() const { return clock->monotonic_ms(); }
    /// Counts shard rounds and client actions: the time of the model.
    uint64_t step() const { return step_; }
    uint64_t tick() { return ++step_; }

    /// A new connection, accepted by some shard when it next runs.
    Wire& dial(size_t capacity);
    Wire& dial_at(unsigned shard, size_t capacity);

    /// One round of one shard with a random part of what waits for it.
    void run_some(unsigned shard);
    /// One round of one shard with everything that waits for it.
    void run_all(unsigned shard);
    /// Rounds of all shards until nothing waits. Time stands still.
    void settle();
    void advance(int64_t ms);
    /// Moves time on in small steps and lets the shards do what falls due.
    void pass(int64_t ms, int64_t step_ms = 100);

    /// Nothing on any wire, in any mailbox, in any replay.
    bool quiet() const;
    std::string unrest() const;
    /// Number of things that happened: unchanged = no progress.
    uint64_t activity() const { return activity_; }
    void note_activity() { ++activity_; }
    /// Step at which the shard last emptied its mailbox, and time of its last round.
    uint64_t last_drain(unsigned number) const { return last_drain_[number]; }
    int64_t last_round_ms(unsigned number) const { return last_round_ms_[number]; }
    int64_t sum(Counter Metrics::*member);
    const std::vector<std::unique_ptr<Wire>>& wires() const { return wires_; }
    size_t open_wires() const;
    /// An id, made from `name`, whose session the given shard owns.
    std::string id_on(unsigned shard, const std::string& name) const;

    // --- trace ---
    bool tracing() const { return trace_; }
    template <typename... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        if (!trace_) return;
        add_line(fmt::format(format, std::forward<Args>(args)...));
    }
    const std::vector<std::string>& lines() const { return lines_; }

    void wake(unsigned shard) override;

private:
    friend class Wire;
    void run(unsigned number, bool everything);
    bool has_reason(unsigned number);
    void finish_turns();
    void read_mail(unsigned number);
    void tell_wires(unsigned number, bool everything);
    void add_line(std::string line);

    std::vector<std::unique_ptr<Wire>> wires_;
    std::vector<Wire*> live_;
    std::vector<bool> awake_;
    std::vector<uint64_t> last_drain_;
    std::vector<int64_t> last_round_ms_;
    std::vector<std::string> lines_;
    uint64_t step_ = 1;
    uint64_t activity_ = 0;
    bool trace_;
};

}  // namespace comqtt::sim
