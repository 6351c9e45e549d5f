#pragma once
// The queries that make records, and what reads their columns.

#include "hooks/records.hpp"
#include "storage/file/sqlite_db.hpp"
#include "storage/file/stored_rows.hpp"

namespace comqtt::storage {

#define COMQTT_SELECT_CLIENTS                                                                   \
    "SELECT id, client_id, username, remote, listener, version, clean_start, expiry_interval, " \
    "disconnected_ms, will, will_delay, will_due_ms FROM sessions"
#define COMQTT_SELECT_SUMS                                                                        \
    "SELECT session, sum(packet_id = 0), sum(iif(packet_id = 0, size, 0)), sum(packet_id <> 0), " \
    "max(position), min(iif(expires_ms > 0, expires_ms, NULL)) FROM queue"
#define COMQTT_SELECT_MESSAGES                                                                            \
    "SELECT q.position, q.packet_id, q.flags, q.identifiers, q.share, q.size, m.id, m.created_ms, "       \
    "m.expiry, m.topic, m.payload, m.properties, m.origin, m.flags FROM queue q LEFT JOIN messages m ON " \
    "m.id = "                                                                                             \
    "q.message"

inline constexpr int kMessageSize = 5;  ///< column

void read_client(const Prepared& row, hooks::StoredClient& out);
/// Adds to what is there.
void read_sums(const Prepared& row, hooks::StoredClient& out);
/// False when a message that was not released is missing.
bool read_message(const Prepared& row, hooks::StoredMessage& out);

}  // namespace comqtt::storage
