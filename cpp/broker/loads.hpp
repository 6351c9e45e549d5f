#pragma once
// Loads: what one shard has asked its stores for: pages of queues, sessions of clients that connect. Owns the questions
// until they are answered, each with a deadline; an answer comes as mail and is given back to the caller. Lives as long
// as the shard, on its thread; calls hooks (the stores) and the timers.

#include <optional>
#include <unordered_map>
#include <vector>

#include "broker/here.hpp"
#include "broker/timers.hpp"
#include "hooks/load.hpp"

namespace comqtt::broker {

struct PendingLoad {
    Ref<hooks::Load> load;
    uint64_t session = 0;     ///< SubscriberId value; 0 = not known here
    uint64_t connection = 0;  ///< handle of the one whose CONNECT waits; 0 = a page of a queue
};

class Loads final {
public:
    Loads(Here& here, Timers& timers) : here_(here), timers_(timers) {}
    Loads(const Loads&) = delete;
    Loads& operator=(const Loads&) = delete;

    /// Fills in how much may come. The stores are asked by hand_over(). Gives the question's number.
    uint64_t begin(hooks::Load::Request request, uint64_t session, uint64_t connection);
    /// Asks the stores. To be called behind the changes of the round, so that they see these first.
    void hand_over();
    /// By mail. Nothing when it was answered before.
    std::optional<PendingLoad> came(uint64_t number);
    /// No store has answered in time: that is its answer, and comes as mail.
    void due(uint64_t number);
    bool empty() const { return pending_.empty(); }

private:
    Here& here_;
    Timers& timers_;
    std::unordered_map<uint64_t, PendingLoad> pending_;
    std::vector<uint64_t> new_;  ///< not handed over yet
};

}  // namespace comqtt::broker
