#pragma once
// QueueTable: the rows of all queues. What it adds and removes is counted in the MessageTable. Writer thread.

#include <vector>

#include "storage/commit/message_table.hpp"
#include "storage/commit/transaction.hpp"
#include "storage/file/statements.hpp"

namespace comqtt::storage {

class QueueTable {
public:
    /// Messages get the row id `base` + their key.
    QueueTable(Statements& statements, MessageTable& messages, int64_t base);

    /// False when a statement failed.
    bool write(const Transaction::QueueRow& row);
    /// Removes rows of a session until there are none or `budget`, which counts down, is used up.
    bool remove_some(int64_t session, int64_t& budget, bool& done);
    /// What was written is not there: the transaction was rolled back.
    void forget();

private:
    /// Which message a row refers to, for rows that were written lately.
    struct Known {
        int64_t session = 0;
        int64_t position = 0;
        int64_t message = 0;
    };
    Known& known(int64_t session, int64_t position);
    /// `message` 0 = none, or no such row.
    bool message_of(int64_t session, int64_t position, int64_t& message);
    bool insert(const Transaction::QueueRow& row);
    bool update(const Transaction::QueueRow& row);
    bool remove(const Transaction::QueueRow& row);

    Db& db_;
    MessageTable& messages_;
    const int64_t base_;
    Prepared insert_, sent_, released_, message_, delete_, first_, delete_to_;
    std::vector<Known> known_;
    std::vector<uint8_t> identifiers_;
};

}  // namespace comqtt::storage
