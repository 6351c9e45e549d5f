#include "storage/commit/change_writer.hpp"

namespace comqtt::storage {

namespace {

/// Rows, and pages of long messages, of ended sessions that one transaction removes beside its changes.
constexpr int64_t kRemoveAtOnce = 2000;

}  // namespace

Result<std::unique_ptr<ChangeWriter>> ChangeWriter::make(Db db, int64_t message_base) {
    std::unique_ptr<ChangeWriter> made(new ChangeWriter(std::move(db), message_base));
    if (made->statements_.error()) return *made->statements_.error();
    made->count_log_pages();
    return made;
}

ChangeWriter::ChangeWriter(Db db, int64_t message_base)
    : db_(std::move(db)),
      statements_(db_),
      messages_(statements_),
      queue_(statements_, messages_, message_base),
      sessions_(statements_, queue_),
      begin_(statements_.make("BEGIN IMMEDIATE")),
      commit_(statements_.make("COMMIT")),
      number_(statements_.make("UPDATE state SET value = ?1 WHERE name = 'commits'")),
      save_retained_(
          statements_.make("INSERT OR REPLACE INTO retained (topic, created_ms, expiry, qos, payload, "
                           "properties, origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")),
      delete_retained_(statements_.make("DELETE FROM retained WHERE topic = ?1")),
      block_(statements_.make("INSERT OR IGNORE INTO blocked (client_id) VALUES (?1)")),
      unblock_(statements_.make("DELETE FROM blocked WHERE client_id = ?1")),
      counter_(statements_.make("INSERT OR REPLACE INTO counters (name, value) VALUES (?1, ?2)")) {}

void ChangeWriter::count_log_pages() {
    sqlite3_wal_hook(
        db_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<ChangeWriter*>(self)->log_pages_ = pages;
            return SQLITE_OK;
        },
        this);
}

template <typename F>
Result<void> ChangeWriter::within(F&& body) {
    if (begin_.run() && body() && commit_.run()) return {};
    Error error = db_.error();
    if (db_.inside()) (void)db_.run("ROLLBACK");
    messages_.forget();
    queue_.forget();
    sweeping_ = true;  // what was swept is back
    return error;
}

Result<void> ChangeWriter::commit(const Transaction& transaction, int64_t number) {
    return within([&] { return apply(transaction, number); });
}

bool ChangeWriter::apply(const Transaction& transaction, int64_t number) {
    int64_t budget = kRemoveAtOnce;
    bool good = true;
    for (const int64_t session : transaction.removed) good = good && sessions_.remove(session, budget);
    if (!transaction.removed.empty()) sweeping_ = true;
    for (const auto& row : transaction.sessions) good = good && sessions_.save(row);
    for (const auto& row : transaction.subscriptions) good = good && sessions_.write(row);
    for (const auto& row : transaction.queue) {
        if (!good) return false;
        good = queue_.write(row);
    }
    for (const auto& row : transaction.received) good = good && sessions_.write(row);
    if (good && sweeping_ && budget > 0) {
        bool done = false;
        good = sessions_.sweep(budget, done);
        sweeping_ = !done;
    }
    good = good && messages_.flush();
    for (const auto& row : transaction.retained) good = good && apply_retained(row);
    for (const auto& row : transaction.blocked)
        good = good && (row.blocked ? block_ : unblock_).bind(1, row.client_id).run();
    return good && number_.bind(1, number).run();
}

bool ChangeWriter::apply_retained(const Transaction::RetainedRow& row) {
    if (!row.message) return delete_retained_.bind(1, row.topic).run();
    const mqtt::Message& message = *row.message;
    save_retained_.bind(1, row.topic).bind(2, message.created_ms());
    if (message.has_expiry())
        save_retained_.bind(3, int64_t{message.expiry_interval()});
    else
        save_retained_.bind_null(3);
    save_retained_.bind(4, int64_t{message.qos()}).bind(5, message.payload());
    if (message.properties().empty())
        save_retained_.bind_null(6);
    else
        save_retained_.bind(6, message.properties());
    return save_retained_.bind(7, message.origin_id().text()).run();
}

Result<void> ChangeWriter::sweep() {
    return within([this] {
        int64_t budget = kRemoveAtOnce;
        bool done = false;
        const bool good = sessions_.sweep(budget, done) && messages_.flush();
        if (good) sweeping_ = !done;
        return good;
    });
}

Result<void> ChangeWriter::save(const Counters& counters) {
    return within([&] {
        for (const auto& [name, value] : counters)
            if (!counter_.bind(1, std::string_view(name)).bind(2, value).run()) return false;
        return true;
    });
}

}  // namespace comqtt::storage
