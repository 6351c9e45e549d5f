#pragma once
// ChangeWriter: applies transactions to the file, one at a time, all or nothing. Lives as long as its connection is of
// use; writer thread.

#include <memory>
#include <utility>
#include <vector>

#include "storage/commit/session_tables.hpp"

namespace comqtt::storage {

/// Values of $SYS by name.
using Counters = std::vector<std::pair<const char*, int64_t>>;

class ChangeWriter {
public:
    /// New messages get ids above `message_base`.
    static Result<std::unique_ptr<ChangeWriter>> make(Db db, int64_t message_base);

    /// The transaction under its number, and some of what is left of ended sessions.
    Result<void> commit(const Transaction& transaction, int64_t number);
    /// A step of removing what is left of ended sessions.
    Result<void> sweep();
    Result<void> save(const Counters& counters);

    /// Rows of ended sessions are left, as far as known.
    bool sweeping() const { return sweeping_; }
    /// Pages in the write-ahead log after the last commit.
    int log_pages() const { return log_pages_; }
    void log_is_empty() { log_pages_ = 0; }
    Db& db() { return db_; }

private:
    ChangeWriter(Db db, int64_t message_base);
    bool apply(const Transaction& transaction, int64_t number);
    bool apply_retained(const Transaction::RetainedRow& row);
    /// Begins, runs `body`, commits; rolls back on failure.
    template <typename F>
    Result<void> within(F&& body);
    void count_log_pages();

    Db db_;
    Statements statements_;
    MessageTable messages_;
    QueueTable queue_;
    SessionTables sessions_;
    Prepared begin_, commit_, number_, save_retained_, delete_retained_, block_, unblock_, counter_;
    int log_pages_ = 0;
    bool sweeping_ = true;
};

}  // namespace comqtt::storage
