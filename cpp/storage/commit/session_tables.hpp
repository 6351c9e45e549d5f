#pragma once
// SessionTables: sessions, their subscriptions, their inbound QoS 2 identifiers, and the ended sessions of which rows
// are left. Writer thread.

#include <vector>

#include "storage/commit/queue_table.hpp"
#include "storage/commit/transaction.hpp"
#include "storage/file/statements.hpp"

namespace comqtt::storage {

class SessionTables {
public:
    SessionTables(Statements& statements, QueueTable& queue);

    // False when a statement failed.
    bool save(const Transaction::SessionRow& row);
    bool write(const Transaction::SubscriptionRow& row);
    bool write(const Transaction::ReceivedRow& row);
    /// Ends the session: its row, and as many of its other rows as `budget` allows. The rest are left for sweep.
    bool remove(int64_t session, int64_t& budget);
    /// Removes rows of ended sessions until there are none or `budget` is used up.
    bool sweep(int64_t& budget, bool& done);

private:
    bool remove_rows(int64_t session, int64_t& budget, bool& done);
    static bool remove_some(Db& db, Prepared& statement, int64_t session, int64_t& budget);

    Db& db_;
    QueueTable& queue_;
    Prepared save_, delete_, save_subscription_, delete_subscription_, add_received_, delete_received_;
    Prepared delete_subscriptions_, delete_receiveds_, add_ended_, first_ended_, delete_ended_;
    std::vector<uint8_t> will_;
};

}  // namespace comqtt::storage
