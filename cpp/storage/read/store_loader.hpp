#pragma once
// What the broker and the store itself read at start, record by record.

#include "base/metrics.hpp"
#include "hooks/records.hpp"
#include "storage/commit/session_ids.hpp"
#include "storage/file/sqlite_db.hpp"

namespace comqtt::storage {

/// The row ids in use. `message_base`: no message has a greater id.
Result<void> load_ids(Db& db, SessionIds& sessions, int64_t& message_base);

// Each ends at the first record that is not taken.

/// Sessions with what is stored of their messages, and blocked clients.
Result<void> load_clients(Db& db, hooks::StoredSink& sink);
Result<void> load_subscriptions(Db& db, hooks::StoredSink& sink);
Result<void> load_retained(Db& db, hooks::StoredSink& sink);
Result<void> load_counters(Db& db, MetricsSnapshot& out);

}  // namespace comqtt::storage
