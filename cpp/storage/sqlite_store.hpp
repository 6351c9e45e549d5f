#pragma once
// SqliteStore: durable sessions in one SQLite file, as a hook like any other. One writer thread takes the batches of
// all shards and commits them together; a reader thread answers load_messages. No shard ever waits for the disk.
//
// Lives as long as it is added to a server. Events come on the shards' threads; everything that touches the disk after
// init() happens on the store's own threads.

#include <memory>

#include "hooks/hook.hpp"
#include "storage/store_config.hpp"

namespace comqtt::storage {

/// Nothing is opened until the server adds it; then a missing file is made, an older schema migrated, a damaged store
/// renamed to `<path>.bad-<time>` (and reported) or, by on_damage, an error. What was never a store is an error too, and
/// left as it is.
std::shared_ptr<hooks::Hook> make_sqlite_store(StoreConfig config);

}  // namespace comqtt::storage
