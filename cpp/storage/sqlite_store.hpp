#pragma once
// SqliteStore: durable sessions in one SQLite file, as a hook like any other. One writer thread takes the batches of
// all shards and commits them together; a reader thread answers load_messages. No shard ever waits for the disk.
//
// Lives as long as it is added to a server. Events come on the shards' threads; everything that touches the disk after
// init() happens on the store's own threads.

#include <cstdint>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "hooks/hook.hpp"

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

/// Nothing is opened until the server adds it; then a missing file is made, an older schema migrated, a damaged store
/// renamed to `<path>.bad-<time>` (and reported) or, by on_damage, an error. What was never a store is an error too, and
/// left as it is.
std::shared_ptr<hooks::Hook> make_sqlite_store(StoreConfig config);

}  // namespace comqtt::storage
