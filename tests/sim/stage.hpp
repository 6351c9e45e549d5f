#pragma once
// Stage: a Sim with a few named clients for tests of one case each.

#include <memory>
#include <string>
#include <vector>

#include "sim/client.hpp"
#include "sim/slow_verdicts.hpp"

namespace comqtt::sim {

class Stage {
public:
    explicit Stage(Settings settings) : sim(settings), model(sim) {}

    Sim sim;
    Model model;

    /// A client whose session lives on the given shard.
    Client& client(const std::string& name, unsigned shard, ClientSettings settings = {}) {
        settings.id = sim.id_on(shard, name);
        settings.index = static_cast<uint32_t>(clients_.size());
        clients_.push_back(std::make_unique<Client>(sim, model, settings));
        return *clients_.back();
    }
    Client& connected(const std::string& name, unsigned shard, ClientSettings settings = {},
                      ConnectSettings connect = {}) {
        Client& made = client(name, shard, settings);
        made.connect(connect);
        rest();
        return made;
    }
    void subscribe(Client& client, const std::string& filter, SubscribeSettings settings) {
        client.subscribe(filter, settings);
        rest();
    }
    /// Everyone who is not deaf reads and acknowledges until nothing happens any more. Time stands still.
    void rest() {
        uint64_t before;
        do {
            before = sim.activity();
            for (const auto& client : clients_)
                if (!client->deaf) client->read_all();
            sim.settle();
            model.observe_drains();
        } while (before != sim.activity());
    }
    /// The same while time moves on.
    void pass(int64_t ms, int64_t step_ms = 100) {
        for (; ms > 0; ms -= step_ms) {
            sim.advance(std::min(ms, step_ms));
            rest();
        }
    }
    /// Everything owed to the connected clients has arrived.
    void check() {
        std::vector<Client*> all;
        for (const auto& client : clients_) all.push_back(client.get());
        model.all_routed();
        model.check_rest(all);
    }

private:
    std::vector<std::unique_ptr<Client>> clients_;
};

inline Settings shards(unsigned count, uint64_t seed = 1) {
    Settings settings;
    settings.seed = seed;
    settings.shards = count;
    settings.config.sys_topic_resend_interval_s = 0;
    return settings;
}

/// Settings without the allow-all hook: the test brings its own.
inline Settings unhooked(unsigned count, uint64_t seed = 1) {
    Settings settings = shards(count, seed);
    settings.allow_all = false;
    return settings;
}

inline size_t count_of(const Client& client, const std::string& topic) {
    size_t count = 0;
    for (const Received& received : client.inbox) count += received.topic == topic;
    return count;
}

}  // namespace comqtt::sim
