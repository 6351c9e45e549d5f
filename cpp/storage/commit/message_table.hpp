#pragma once
// MessageTable: the messages that queues refer to, each stored once. Collects what a transaction adds and drops, and
// writes the sums. Writer thread.

#include <vector>

#include "mqtt/message.hpp"
#include "storage/file/statements.hpp"

namespace comqtt::storage {

class MessageTable {
public:
    explicit MessageTable(Statements& statements);

    /// A row of a queue refers to the message now.
    void add(int64_t id, const mqtt::Message& message) { sums_.push_back({id, 1, &message}); }
    /// One no longer does.
    void drop(int64_t id) { sums_.push_back({id, -1, nullptr}); }
    void forget() { sums_.clear(); }
    /// False when a statement failed.
    bool flush();

private:
    struct Sum {
        int64_t id;
        int64_t refs;
        const mqtt::Message* message;  ///< of an addition
    };
    bool write(const Sum& sum);

    Db& db_;
    Prepared insert_, delete_, update_;
    std::vector<Sum> sums_;
};

}  // namespace comqtt::storage
