#include "storage/read/page_reader.hpp"

#include "storage/file/stored_columns.hpp"

namespace comqtt::storage {

using State = hooks::StoredMessage::State;

Result<std::unique_ptr<PageReader>> PageReader::make(Db db) {
    std::unique_ptr<PageReader> made(new PageReader(std::move(db)));
    if (made->statements_.error()) return *made->statements_.error();
    return made;
}

PageReader::PageReader(Db db)
    : db_(std::move(db)),
      statements_(db_),
      begin_(statements_.make("BEGIN")),
      end_(statements_.make("COMMIT")),
      session_(statements_.make("SELECT id FROM sessions WHERE client_id = ?1")),
      client_(statements_.make(COMQTT_SELECT_CLIENTS " WHERE id = ?1")),
      sums_(statements_.make(COMQTT_SELECT_SUMS " WHERE session = ?1 GROUP BY session")),
      subscriptions_(
          statements_.make("SELECT filter, options, identifier FROM subscriptions WHERE session = ?1")),
      inflight_(statements_.make(COMQTT_SELECT_MESSAGES " WHERE q.session = ?1 AND q.packet_id <> 0 "
                                                        "ORDER BY q.position")),
      received_(statements_.make("SELECT packet_id FROM received WHERE session = ?1 ORDER BY packet_id")),
      queued_(statements_.make(COMQTT_SELECT_MESSAGES " WHERE q.session = ?1 AND q.position > ?2 AND "
                                                      "q.packet_id = 0 ORDER BY q.position")) {}

Result<Status> PageReader::answer(hooks::Load& load) {
    Status status = Status::ok;
    if (begin_.run() && fill(load, status) && end_.run()) return status;
    Error error = db_.error();
    if (db_.inside()) (void)db_.run("ROLLBACK");
    return error;
}

bool PageReader::fill(hooks::Load& load, Status& status) {
    const hooks::Load::Request& request = load.request();
    session_.bind(1, std::string_view(request.client_id));
    const int64_t session = session_.step() ? session_.number(0) : 0;
    const bool good = !session_.failed();
    session_.reset();
    if (!good) return false;
    if (!session) {
        status = Status::not_found;
        return true;
    }
    if (request.session && !(add_client(session, load) && add_subscriptions(session, load))) return false;
    if (request.after == 0 && !(add_inflight(session, load) && add_received(session, load))) return false;
    return add_queued(session, load);
}

bool PageReader::add_client(int64_t session, hooks::Load& load) {
    hooks::StoredClient record;
    client_.bind(1, session);
    if (client_.step()) read_client(client_, record);
    const bool good = !client_.failed();
    client_.reset();
    if (!good) return false;
    sums_.bind(1, session);
    if (sums_.step()) read_sums(sums_, record);
    if (sums_.failed()) return false;
    sums_.reset();
    received_.bind(1, session);
    while (received_.step()) ++record.inflight_messages;
    if (received_.failed()) return false;
    received_.reset();
    (void)load.add(std::move(record));
    return true;
}

bool PageReader::add_subscriptions(int64_t session, hooks::Load& load) {
    subscriptions_.bind(1, session);
    while (subscriptions_.step()) {
        hooks::StoredSubscription record;
        record.client_id = load.request().client_id;
        record.entry = entry_of(subscriptions_.text(0), static_cast<uint8_t>(subscriptions_.number(1)));
        record.identifier = static_cast<uint32_t>(subscriptions_.number(2));
        (void)load.add(std::move(record));
    }
    const bool good = !subscriptions_.failed();
    subscriptions_.reset();
    return good;
}

/// The client's answers come for these: all of them, whatever the limits.
bool PageReader::add_inflight(int64_t session, hooks::Load& load) {
    inflight_.bind(1, session);
    while (inflight_.step()) {
        hooks::StoredMessage record;
        record.client_id = load.request().client_id;
        if (read_message(inflight_, record)) (void)load.add(std::move(record));
    }
    const bool good = !inflight_.failed();
    inflight_.reset();
    return good;
}

bool PageReader::add_received(int64_t session, hooks::Load& load) {
    received_.bind(1, session);
    while (received_.step()) {
        hooks::StoredMessage record;
        record.client_id = load.request().client_id;
        record.state = State::received;
        record.packet.type = mqtt::PacketType::publish;
        record.packet.qos = 2;
        record.packet.packet_id = static_cast<mqtt::PacketId>(received_.number(0));
        (void)load.add(std::move(record));
    }
    const bool good = !received_.failed();
    received_.reset();
    return good;
}

bool PageReader::add_queued(int64_t session, hooks::Load& load) {
    const hooks::Load::Request& request = load.request();
    uint32_t messages = 0;
    uint64_t bytes = 0;
    queued_.bind(1, session).bind(2, static_cast<int64_t>(request.after));
    while (messages < request.max_messages && queued_.step()) {
        bytes += static_cast<uint64_t>(queued_.number(kMessageSize));
        if (messages && bytes > request.max_bytes) break;
        hooks::StoredMessage record;
        record.client_id = request.client_id;
        if (!read_message(queued_, record)) continue;
        (void)load.add(std::move(record));
        ++messages;
    }
    const bool good = !queued_.failed();
    queued_.reset();
    return good;
}

}  // namespace comqtt::storage
