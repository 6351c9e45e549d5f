#pragma once
// History: a long random run of clients against the broker, brought to rest now and then, when everything owed must
// have arrived.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/client.hpp"
#include "sim/slow_verdicts.hpp"
#include "support/slow_store.hpp"

namespace comqtt::sim {

struct HistorySettings {
    uint64_t seed = 1;
    unsigned shards = 1;
    unsigned steps = 500;
    bool trace = false;
};

class History {
public:
    explicit History(HistorySettings settings);
    /// Throws Failure.
    void run();
    uint64_t fingerprint() const { return fingerprint_; }
    Sim& sim() { return sim_; }

private:
    static Settings sim_settings(const HistorySettings& settings);
    void make_clients();
    void act();
    void act_offline(Client& client);
    void act_up(Client& client);
    void publish(Client& client);
    void subscribe(Client& client);
    void leave(Client& client);
    void listen(Client& client);
    /// Everyone connects, reads and acknowledges until nothing is left to do.
    void come_to_rest();
    void check_rest();
    void check_retained();
    void check_store();
    void end();
    void require_zero(Counter Metrics::*member, const char* name);
    std::string unrest() const;

    const HistorySettings settings_;
    Sim sim_;
    support::Random& random_;
    Model model_;
    std::shared_ptr<SlowVerdicts> verdicts_;     ///< null in most histories
    std::shared_ptr<support::SlowStore> store_;  ///< null in most
    std::vector<std::unique_ptr<Client>> clients_;
    std::unique_ptr<Client> watcher_;  ///< of wills
    std::unique_ptr<Client> probe_;    ///< of retained messages
    uint64_t fingerprint_ = 0;
};

/// Runs a history; on failure runs it again with a trace and throws a Failure that tells the seed and its last lines.
void run_history(HistorySettings settings);

}  // namespace comqtt::sim
