#include "storage/tools/mosquitto_import.hpp"

#include <chrono>
#include <unordered_map>
#include <unordered_set>

#include "mqtt/message.hpp"
#include "mqtt/types.hpp"
#include "storage/tools/files.hpp"
#include "storage/tools/import_source.hpp"
#include "storage/tools/row_rules.hpp"
#include "topics/filter.hpp"

namespace comqtt::storage::tools {

namespace {

using State = MosquittoFile::State;
using Direction = MosquittoFile::Direction;

constexpr int64_t kLatest = int64_t{1} << 40;  ///< unix seconds that still are a time

std::string str(std::string_view text) { return std::string(text); }

/// Lives for one import.
class Importer {
public:
    Importer(const MosquittoFile& file, int64_t now_ms, RowWriter& writer, const ReportLine& line)
        : file_(file), now_ms_(now_ms), writer_(writer), line_(line) {}

    Result<void> run();

private:
    struct Session {
        const MosquittoFile::Client* client = nullptr;
        std::vector<const MosquittoFile::Subscription*> subscriptions;
        std::unordered_set<uint16_t> packet_ids;
        std::unordered_set<uint16_t> received;
        int64_t last_position = 0;
    };
    struct Delivery {
        uint8_t qos = 0;
        bool retain = false;
        bool released = false;
        uint16_t packet_id = 0;
        std::vector<uint32_t> identifiers;
    };

    Result<void> add(TableId table, const Row& row, size_t offset);
    Result<void> add_sessions();
    Result<void> add_subscriptions();
    Result<void> add_messages();
    Result<void> add_client_message(const MosquittoFile::ClientMessage& message);
    Result<void> add_outbound(Session& session, const MosquittoFile::ClientMessage& m,
                              const MosquittoFile::Message& message);
    Result<void> add_queued(Session& session, const MosquittoFile::Message& message,
                            const Delivery& delivery);
    Result<void> route(const MosquittoFile::Message& message);
    Result<void> add_retained(const MosquittoFile::Message& message, size_t offset);
    int64_t expires_ms(const MosquittoFile::Message& message) const { return message.expires_s * 1000; }
    Value expiry_of(const MosquittoFile::Message& message) const;

    const MosquittoFile& file_;
    int64_t now_ms_;
    RowWriter& writer_;
    const ReportLine& line_;
    std::unordered_map<std::string_view, Session> sessions_;
    std::unordered_map<uint64_t, const MosquittoFile::Message*> messages_;  ///< those that have not expired
    std::unordered_map<uint64_t, int64_t> numbers_;       ///< of the rows, by those of the file
    std::vector<const MosquittoFile::Message*> pending_;  ///< to be passed on
    int64_t expired_ = 0;
    int64_t without_message_ = 0;
    int64_t routed_ = 0;
};

Result<void> Importer::add(TableId table, const Row& row, size_t offset) {
    auto added = writer_.add(table, row);
    if (added || added.error().status != Status::invalid_argument) return added;
    return Error{Status::invalid_argument, "offset " + std::to_string(offset) + ": " + added.error().message};
}

Result<void> Importer::add_sessions() {
    for (const MosquittoFile::Client& client : file_.clients) sessions_[client.id].client = &client;
    for (const MosquittoFile::Subscription& s : file_.subscriptions) {
        const auto session = sessions_.find(s.client_id);
        if (session == sessions_.end())
            return Error{Status::invalid_argument, "offset " + std::to_string(s.offset) +
                                                       ": a subscription of the unknown client '" +
                                                       printable(s.client_id) + "'"};
        session->second.subscriptions.push_back(&s);
    }
    for (const MosquittoFile::Client& client : file_.clients) {
        // The version of the protocol is not kept: what only 5.0 has gives it away.
        const bool expires = client.session_expiry != mqtt::kNoExpiry;
        bool is_v5 = expires;
        for (const auto* s : sessions_[client.id].subscriptions)
            is_v5 = is_v5 || s->identifier || s->options > 2;
        int64_t gone_ms = now_ms_;
        if (expires && client.session_expires_s > 0 && client.session_expires_s < kLatest)
            gone_ms = std::min(now_ms_, (client.session_expires_s - client.session_expiry) * 1000);
        Row row(portable_columns(table_of(TableId::sessions)).size(), Value::integer(0));
        row[session_row::client_id] = Value::text(str(client.id));
        row[session_row::username] = Value::text(str(client.username));
        row[session_row::remote] = Value::text("");
        row[session_row::listener] = Value::text("");
        row[session_row::version] = Value::integer(is_v5 ? 5 : 4);
        row[session_row::expiry_interval] = Value::integer(client.session_expiry);
        row[session_row::disconnected_ms] = Value::integer(std::max<int64_t>(1, gone_ms));
        row[session_row::will] = {};
        if (auto added = add(TableId::sessions, row, client.offset); !added) return added;
    }
    return {};
}

Result<void> Importer::add_subscriptions() {
    for (const MosquittoFile::Subscription& s : file_.subscriptions) {
        const Row row{Value::text(str(s.client_id)), Value::text(str(s.filter)),
                      Value::integer(s.options & 0x0F), Value::integer(s.identifier)};
        if (auto added = add(TableId::subscriptions, row, s.offset); !added) return added;
    }
    return {};
}

/// Seconds from the import on: when the message was published is not kept.
Value Importer::expiry_of(const MosquittoFile::Message& message) const {
    if (message.expires_s <= 0) return {};
    return Value::integer(std::min<int64_t>((expires_ms(message) - now_ms_ + 999) / 1000, UINT32_MAX));
}

Result<void> Importer::add_messages() {
    int64_t number = 0;
    for (const MosquittoFile::Message& message : file_.messages) {
        if (message.expires_s < 0 || message.expires_s > kLatest)
            return Error{Status::invalid_argument,
                         "offset " + std::to_string(message.offset) + ": a time of expiry that cannot be"};
        if (message.expires_s > 0 && expires_ms(message) <= now_ms_) {
            ++expired_;
            continue;
        }
        if (!messages_.emplace(message.id, &message).second)
            return Error{Status::invalid_argument, "offset " + std::to_string(message.offset) + ": message " +
                                                       std::to_string(message.id) + " is there twice"};
        ++number;
        const Row row{Value::integer(number),
                      Value::integer(now_ms_),
                      expiry_of(message),
                      Value::integer(message.qos | (message.retain ? kRetainFlag : 0)),
                      Value::text(str(message.topic)),
                      Value::blob(str(message.payload.text())),
                      message.properties.empty() ? Value() : Value::blob(str(message.properties.text())),
                      Value::text(str(message.source_id))};
        numbers_.emplace(message.id, number);
        if (auto added = add(TableId::messages, row, message.offset); !added) return added;
    }
    return {};
}

Result<void> Importer::add_queued(Session& session, const MosquittoFile::Message& message,
                                  const Delivery& delivery) {
    std::string identifiers;
    for (const uint32_t identifier : delivery.identifiers) {
        uint8_t bytes[4];
        store_u32(bytes, identifier);
        identifiers += ByteView(bytes, 4).text();
    }
    const size_t size = sizeof(mqtt::Message) + 2 + message.topic.size() + message.payload.size +
                        message.properties.size + message.source_id.size();
    const int64_t flags =
        delivery.qos | (delivery.retain ? kRetainFlag : 0) | (delivery.released ? kReleasedFlag : 0);
    const Row row{Value::text(str(session.client->id)),
                  Value::integer(++session.last_position),
                  delivery.released ? Value() : Value::integer(numbers_.at(message.id)),
                  Value::integer(delivery.packet_id),
                  Value::integer(flags),
                  Value::integer(delivery.released ? 0 : static_cast<int64_t>(size)),
                  Value::integer(delivery.released ? 0 : expires_ms(message)),
                  identifiers.empty() || delivery.released ? Value() : Value::blob(std::move(identifiers)),
                  Value()};
    return add(TableId::queue, row, message.offset);
}

Result<void> Importer::add_outbound(Session& session, const MosquittoFile::ClientMessage& m,
                                    const MosquittoFile::Message& message) {
    Delivery delivery;
    delivery.qos = m.qos;
    delivery.retain = m.retain;
    delivery.identifiers = m.identifiers;
    delivery.released = m.qos == 2 && (m.state == State::resend_pubrel || m.state == State::wait_for_pubcomp);
    // A queued message has a packet identifier too, which nobody has seen.
    const bool sent = m.qos > 0 && m.state != State::queued && m.packet_id != 0;
    if (sent && session.packet_ids.insert(m.packet_id).second) delivery.packet_id = m.packet_id;
    if (sent && !delivery.packet_id)
        line_("sent again: a message of '" + printable(m.client_id) + "' whose packet identifier " +
              std::to_string(m.packet_id) + " is used by another");
    if (delivery.released && !delivery.packet_id) return {};
    return add_queued(session, message, delivery);
}

/// A QoS 2 message that mosquitto has taken (PUBREC) and would pass on with PUBREL. Here it is passed on at once,
/// and only its packet identifier waits for PUBREL.
Result<void> Importer::route(const MosquittoFile::Message& message) {
    ++routed_;
    for (auto& [id, session] : sessions_) {
        Delivery delivery;
        bool matched = false;
        for (const auto* s : session.subscriptions) {
            topics::ParsedFilter parsed;
            if (topics::parse_filter(s->filter, parsed) != topics::FilterError::none) continue;
            if (!topics::matches(parsed.topic_filter, message.topic)) continue;
            if ((s->options & 4) && id == message.source_id) continue;
            matched = true;
            delivery.qos = std::max(delivery.qos, std::min<uint8_t>(s->options & 3, message.qos));
            delivery.retain = delivery.retain || ((s->options & 8) && message.retain);
            if (s->identifier) delivery.identifiers.push_back(s->identifier);
        }
        if (!matched || delivery.qos == 0) continue;
        if (auto added = add_queued(session, message, delivery); !added) return added;
    }
    if (message.retain) return add_retained(message, message.offset);
    return {};
}

Result<void> Importer::add_client_message(const MosquittoFile::ClientMessage& m) {
    const auto session = sessions_.find(m.client_id);
    if (session == sessions_.end())
        return Error{Status::invalid_argument, "offset " + std::to_string(m.offset) +
                                                   ": a message of the unknown client '" +
                                                   printable(m.client_id) + "'"};
    const auto message = messages_.find(m.message);
    const bool inbound = m.direction == Direction::in;
    if (message == messages_.end()) {
        ++without_message_;
        return {};
    }
    if (!inbound) return add_outbound(session->second, m, *message->second);
    // Inbound QoS 2. resend_pubcomp: passed on already, and a PUBREL of an unknown identifier is answered all the same.
    if (m.qos != 2 || m.packet_id == 0 || m.state == State::resend_pubcomp) return {};
    if (!session->second.received.insert(m.packet_id).second) return {};
    const Row row{Value::text(str(m.client_id)), Value::integer(m.packet_id)};
    if (auto added = add(TableId::received, row, m.offset); !added) return added;
    pending_.push_back(message->second);
    return {};
}

Result<void> Importer::add_retained(const MosquittoFile::Message& message, size_t offset) {
    if (message.payload.empty()) return {};
    const Row row{Value::text(str(message.topic)),
                  Value::integer(now_ms_),
                  expiry_of(message),
                  Value::integer(message.qos),
                  Value::blob(str(message.payload.text())),
                  message.properties.empty() ? Value() : Value::blob(str(message.properties.text())),
                  Value::text(str(message.source_id))};
    return add(TableId::retained, row, offset);
}

Result<void> Importer::run() {
    if (auto done = add_sessions(); !done) return done;
    if (auto done = add_subscriptions(); !done) return done;
    if (auto done = add_messages(); !done) return done;
    for (const MosquittoFile::ClientMessage& m : file_.client_messages)
        if (auto done = add_client_message(m); !done) return done;
    for (const MosquittoFile::Retained& retained : file_.retained) {
        const auto message = messages_.find(retained.message);
        if (message == messages_.end() || message->second->topic.starts_with("$SYS")) continue;
        if (auto done = add_retained(*message->second, retained.offset); !done) return done;
    }
    for (const MosquittoFile::Message* message : pending_)
        if (auto done = route(*message); !done) return done;
    line_("mosquitto.db of version " + std::to_string(file_.version));
    if (expired_) line_("left out, since they have expired: " + std::to_string(expired_) + " messages");
    if (without_message_)
        line_("left out, since their message has expired: " + std::to_string(without_message_) +
              " deliveries");
    if (routed_)
        line_("passed on, since their sender has had PUBREC: " + std::to_string(routed_) + " messages");
    if (file_.unknown_chunks) line_("unknown, left out: " + std::to_string(file_.unknown_chunks) + " chunks");
    return {};
}

}  // namespace

Result<void> add_mosquitto_rows(const MosquittoFile& file, int64_t now_ms, RowWriter& writer,
                                const ReportLine& line) {
    return Importer(file, now_ms, writer, line).run();
}

Result<void> add_mosquitto_file(const std::string& path, RowWriter& writer, const ReportLine& line) {
    const auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    const auto file = parse_mosquitto_file(ByteView(std::string_view(*bytes)));
    if (!file) return file.error();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return add_mosquitto_rows(*file, std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
                              writer, line);
}

}  // namespace comqtt::storage::tools
