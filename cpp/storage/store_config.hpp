#pragma once
// StoreConfig: what a store is told: where its file is, when a commit counts, and how much it may hold.

#include <cstdint>
#include <string>

#include "base/log.hpp"

namespace comqtt::storage {

enum class Durability : uint8_t { strict, relaxed };
enum class Sync : uint8_t { full, normal, off };
enum class OnDamage : uint8_t { rename, stop };

struct StoreConfig {
    std::string path = "comqtt.db";
    Durability durability = Durability::strict;
    Sync sync = Sync::full;
    uint32_t commit_window_ms = 0;      ///< wait this long for more before each commit
    uint32_t flush_interval_ms = 1000;  ///< relaxed: longest time until a commit
    uint64_t backlog_bytes =
        64u << 20;                     ///< relaxed: uncommitted bytes above which the shards are made to wait
    uint32_t retry_ms = 500;           ///< between attempts while the disk fails
    uint64_t cache_bytes = 32u << 20;  ///< of SQLite's page cache
    OnDamage on_damage = OnDamage::rename;
    bool counters = false;  ///< keep the counters of $SYS too
    Log log;
};

}  // namespace comqtt::storage
