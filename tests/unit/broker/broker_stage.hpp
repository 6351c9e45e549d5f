#pragma once
// A broker's core without threads: what the parts of a shard stand on in their tests.

#include <functional>
#include <memory>
#include <vector>

#include "broker/core.hpp"

namespace comqtt::broker::test {

/// The defaults, with other limits.
inline Config with(const std::function<void(Limits&)>& change) {
    Config config;
    change(config.limits);
    return config;
}

struct CoreStage : Host {
    explicit CoreStage(unsigned shards = 1, Config config = {})
        : core(std::move(config), {}, clock, *this, shards, 42) {}
    void wake(unsigned shard) override { woken.push_back(shard); }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::vector<unsigned> woken;
    Core core;
};

}  // namespace comqtt::broker::test
