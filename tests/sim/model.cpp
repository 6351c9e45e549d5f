#include "sim/model.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "sim/client.hpp"
#include "sim/sim.hpp"
#include "topics/filter.hpp"

namespace comqtt::sim {

bool Span::matches(std::string_view topic) const { return topics::matches(plain, topic); }

Message& Model::make(uint32_t publisher, std::string topic, uint8_t qos, size_t size) {
    Message& message = messages_.emplace_back();
    message.number = static_cast<uint32_t>(messages_.size());
    message.publisher = publisher;
    message.topic = std::move(topic);
    message.qos = qos;
    message.size = size ? std::max<size_t>(size, std::to_string(message.number).size() + 1) : 0;
    return message;
}

std::string Model::payload_of(const Message& message) {
    if (!message.size) return {};
    std::string text = std::to_string(message.number) + "|";
    const size_t head = text.size();
    text.resize(message.size);
    // Eight bytes at a time that no other message has anywhere.
    for (size_t at = head; at < text.size(); at += sizeof(uint64_t)) {
        uint64_t mixed = (uint64_t{message.number} << 32 | at) * 0x9E3779B97F4A7C15;
        mixed ^= mixed >> 29;
        std::memcpy(text.data() + at, &mixed, std::min(sizeof mixed, text.size() - at));
    }
    return text;
}

Message& Model::identify(std::string_view payload) {
    uint32_t number = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), number);
    demand(number > 0 && number <= messages_.size(), "a payload that nobody sent: {} bytes", payload.size());
    Message& found = message(number);
    demand(payload == payload_of(found), "message {} arrived with another payload ({} bytes)", number,
           payload.size());
    return found;
}

void Model::transmitted(Message& message, uint64_t wire) {
    if (!message.sent) {
        message.sent = sim_.step();
        message.sent_ms = sim_.now_ms();
    }
    ++message.transmissions;
    message.wire = wire;
    if (message.retain) retained_[message.topic].push_back({message.number, wire, false});
}

void Model::acknowledged(Message& message) {
    if (message.acked != kNever) return;
    message.acked = sim_.step();
    message.acked_ms = sim_.now_ms();
    routing_.push_back(message.number);
}

void Model::observe_drains() {
    std::erase_if(routing_, [&](uint32_t number) {
        Message& m = message(number);
        for (unsigned i = 0; i < sim_.shard_count(); ++i)
            if (sim_.last_drain(i) <= m.acked) return false;
        m.routed = sim_.step();
        return true;
    });
}

void Model::all_routed() {
    for (uint32_t number = finished_; number <= messages_.size(); ++number)
        if (message(number).routed == kNever) message(number).routed = sim_.step();
    routing_.clear();
}

void Model::group_delivery(const std::string& group, const Message& message, uint8_t qos) {
    Group& g = groups_[group];
    ++g.copies[message.number];
    if (qos == 2) ++g.copies_qos2[message.number];
}

void Model::group_departure(const std::string& group, bool session_ended) {
    groups_[group].departures.push_back(session_ended);
}

void Model::will_arrived(const Message& message) {
    WillRecord& record = wills_[message.number];
    ++record.arrived;
    demand(sim_.now_ms() >= record.not_before_ms, "the will {} came before it was due at {} ms",
           message.number, record.not_before_ms);
}

bool Model::surely_handled(const Message& message, uint64_t wire, const std::vector<Client*>& clients) const {
    if (message.acked != kNever) return true;
    if (message.publisher >= clients.size()) return false;
    Client& publisher = *clients[message.publisher];
    return publisher.up() && publisher.wire()->number == wire;
}

void Model::check_received(const Message& m, Client& client, const std::vector<Client*>& clients) const {
    SessionState* session = client.session();
    if (!session || m.will || m.expiry_s || !m.size) return;
    const uint32_t maximum = client.settings().maximum_packet_size;
    if (maximum && m.size + m.topic.size() + 100 > maximum) return;
    bool certain = false;
    uint8_t qos = 0;
    for (const Span& span : session->spans) {
        if (span.shared || !span.matches(m.topic) || span.stands > m.sent || span.leaving <= m.routed)
            continue;
        if (span.no_local && m.publisher == client.settings().index) continue;
        certain = true;
        qos = std::max(qos, span.qos);
    }
    if (!certain) return;
    qos = std::min(qos, m.qos);
    if (qos ? m.acked == kNever : client.up_since() > m.sent || !surely_handled(m, m.wire, clients)) return;
    demand(session->copies.count(m.number) != 0,
           "{} never received message {} on '{}' of {} (QoS {}, sent at step {}, acknowledged at {})",
           client.settings().id, m.number, m.topic, m.publisher, m.qos, m.sent, m.acked);
}

void Model::check_groups(const std::vector<Client*>& clients) {
    for (uint32_t number = finished_; number <= messages_.size(); ++number) {
        const Message& m = message(number);
        if (!m.size || m.expiry_s) continue;
        struct Members {
            bool certain = false;  ///< one stood all the time
            bool online = false;   ///< and was connected
        };
        std::map<std::string, Members> groups;
        for (Client* client : clients) {
            SessionState* session = client->session();
            if (!session) continue;
            for (const Span& span : session->spans) {
                if (!span.shared || !span.matches(m.topic)) continue;
                Members& members = groups[span.filter];
                const bool certain = span.stands <= m.sent && span.leaving == kNever;
                members.certain |= certain;
                members.online |= certain && client->up_since() <= m.sent;
            }
        }
        for (const auto& [name, members] : groups) {
            Group& group = groups_[name];
            // Also those that the broker may have heard of only after the message.
            const size_t departures = group.departures.size();
            const bool ended =
                std::find(group.departures.begin(), group.departures.end(), true) != group.departures.end();
            const auto at = group.copies.find(number);
            const uint32_t copies = at == group.copies.end() ? 0 : at->second;
            demand(copies <= m.transmissions * (1 + departures), "group {} received message {} {} times",
                   name, number, copies);
            const auto qos2 = group.copies_qos2.find(number);
            demand(qos2 == group.copies_qos2.end() || qos2->second <= m.transmissions,
                   "group {} received the QoS 2 message {} {} times", name, number, copies);
            const uint8_t qos = group.qos0 ? 0 : m.qos;
            if (!members.certain || !surely_handled(m, m.wire, clients)) continue;
            if (qos == 0 ? departures != 0 || !members.online : m.qos == 2 && ended) continue;
            if (qos && m.acked == kNever) continue;
            demand(copies > 0, "no member of group {} received message {} (QoS {}, sent at step {})", name,
                   number, m.qos, m.sent);
        }
    }
}

void Model::check_wills() {
    for (const auto& [number, record] : wills_) {
        demand(record.arrived <= 1, "the will {} came {} times", number, record.arrived);
        demand(record.fate != Fate::must || record.arrived == 1, "the will {} never came", number);
        demand(record.fate != Fate::must_not || record.arrived == 0, "the will {} came", number);
    }
}

void Model::check_rest(const std::vector<Client*>& clients) {
    for (uint32_t number = finished_; number <= messages_.size(); ++number)
        for (Client* client : clients) check_received(message(number), *client, clients);
    check_groups(clients);
    check_wills();
    finished_ = static_cast<uint32_t>(messages_.size() + 1);
    for (auto& [name, group] : groups_) {
        group.copies.clear();
        group.copies_qos2.clear();
        group.departures.clear();
        group.qos0 = false;
    }
    for (Client* client : clients) {
        client->forget_past();
        if (!client->session()) continue;
        for (const Span& span : client->session()->spans)
            if (span.shared) group_subscription(span.filter, span.qos);
    }
}

std::vector<uint32_t> Model::retained_candidates(const std::string& topic,
                                                 const std::vector<Client*>& clients) const {
    const auto at = retained_.find(topic);
    if (at == retained_.end()) return {0};
    const auto& all = at->second;
    std::vector<uint32_t> numbers;
    for (size_t i = all.size(); i-- > 0;) {
        const Message* m = all[i].number ? &messages_[all[i].number - 1] : nullptr;
        numbers.push_back(m && m->size ? m->number : 0);
        if (all[i].known) return numbers;
        if (!surely_handled(*m, all[i].wire, clients)) continue;
        // Of a QoS 2 message one transmission counts, nobody knows which.
        const bool sent_before =
            m->qos == 2 && std::any_of(all.begin(), all.begin() + static_cast<ptrdiff_t>(i),
                                       [&](const Transmission& t) { return t.number == m->number; });
        if (!sent_before) return numbers;
    }
    numbers.push_back(0);
    return numbers;
}

std::vector<std::string> Model::retained_topics() const {
    std::vector<std::string> topics;
    for (const auto& [topic, all] : retained_) topics.push_back(topic);
    return topics;
}

void Model::retained_seen(const std::string& topic, uint32_t number) {
    retained_[topic] = {{number, 0, true}};
}

}  // namespace comqtt::sim
