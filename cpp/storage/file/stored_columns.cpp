#include "storage/file/stored_columns.hpp"

namespace comqtt::storage {

using State = hooks::StoredMessage::State;

void read_client(const Prepared& row, hooks::StoredClient& out) {
    out.id = row.text(1);
    out.username = row.text(2);
    out.remote = row.text(3);
    out.listener = row.text(4);
    out.version = static_cast<mqtt::Version>(row.number(5));
    out.clean_start = row.number(6) != 0;
    out.session_expiry_s = static_cast<uint32_t>(row.number(7));
    out.disconnected_at_ms = row.number(8);
    out.has_will =
        !row.is_null(9) && decode_will(row.blob(9), static_cast<uint32_t>(row.number(10)), out.will);
    out.will_due_ms = row.number(11);
}

void read_sums(const Prepared& row, hooks::StoredClient& out) {
    out.queued_messages += static_cast<uint64_t>(row.number(1));
    out.queued_bytes += static_cast<uint64_t>(row.number(2));
    out.inflight_messages += static_cast<uint64_t>(row.number(3));
    out.last_position = static_cast<uint64_t>(row.number(4));
    out.next_expiry_ms = row.number(5);
}

bool read_message(const Prepared& row, hooks::StoredMessage& out) {
    const int64_t flags = row.number(2);
    const bool released = flags & 8;
    out.position = static_cast<uint64_t>(row.number(0));
    if (!row.is_null(6)) {
        MessageColumns columns;
        columns.has_expiry = !row.is_null(8);
        columns.expiry = static_cast<uint32_t>(row.number(8));
        columns.topic = row.text(9);
        columns.payload = row.blob(10);
        columns.properties = row.blob(11);
        columns.identifiers = identifiers_of(row.blob(3));
        out.packet = publish_of(columns);
        out.created_ms = row.number(7);
        out.origin = row.text(12);
        out.published_qos = static_cast<uint8_t>(row.number(13) & 3);
    } else if (!released) {
        return false;
    }
    out.share = row.text(4);
    out.packet.type = mqtt::PacketType::publish;
    out.packet.packet_id = static_cast<mqtt::PacketId>(row.number(1));
    out.packet.qos = static_cast<mqtt::QoS>(flags & 3);
    out.packet.retain = flags & 4;
    out.state = released ? State::released : out.packet.packet_id ? State::sent : State::queued;
    return true;
}

}  // namespace comqtt::storage
