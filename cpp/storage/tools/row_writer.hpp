#pragma once
// RowWriter: puts portable rows into a store, all in one transaction. What it is given of a session or a topic
// replaces what the store had of it.

#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "storage/tools/statement.hpp"
#include "storage/tools/tables.hpp"

namespace comqtt::storage::tools {

class RowWriter {
public:
    /// `db` has the schema and outlives the writer.
    static Result<RowWriter> begin(Db& db);
    RowWriter(RowWriter&&) = default;

    /// Sessions come before what they have, messages before the queues. invalid_argument tells what is wrong with
    /// the row, which is then not there; other errors are those of the disk.
    Result<void> add(TableId table, const Row& row);
    /// Counts the references, drops messages that no queue holds, commits. Without it nothing has changed.
    Result<void> finish();

    int64_t count(TableId table) const { return counts_[static_cast<size_t>(table)]; }
    int64_t replaced() const { return replaced_; }  ///< sessions

private:
    explicit RowWriter(Db& db) : db_(&db) {}
    Result<void> prepare();
    Result<void> replace_session(const std::string& client_id);
    Result<void> insert(TableId table, const Row& row);
    Result<int64_t> session_of(const Row& row) const;
    Result<bool> has_message(int64_t id);

    struct Rollback {
        void operator()(Db* db) const {
            if (db->inside()) (void)db->run("ROLLBACK");
        }
    };
    std::unique_ptr<Db, Rollback> db_;  ///< borrowed: what ends with the writer is the transaction
    std::array<Statement, kTableCount> inserts_;
    Statement find_session_;
    Statement find_message_;
    std::array<Statement, 4> removals_;
    std::unordered_map<std::string, int64_t> sessions_;  ///< those added
    int64_t first_message_ = 0;                          ///< added to the numbers of messages
    std::array<int64_t, kTableCount> counts_{};
    int64_t replaced_ = 0;
};

}  // namespace comqtt::storage::tools
