#pragma once
// Hook: one method per event, all with neutral defaults. Calls about one client are serial and in protocol order;
// calls about different clients may overlap on different threads.

#include <cstdint>
#include <span>
#include <string_view>

#include "hooks/changes.hpp"
#include "hooks/client.hpp"
#include "hooks/deferral.hpp"
#include "hooks/event.hpp"
#include "hooks/load.hpp"
#include "hooks/packet_box.hpp"
#include "hooks/records.hpp"
#include "hooks/selection.hpp"

namespace comqtt::hooks {

struct DisconnectInfo {
    mqtt::Reason reason = mqtt::Reason::success;
    std::string_view text;   ///< why, in words; empty for a clean DISCONNECT
    bool by_client = false;  ///< a DISCONNECT of the client, or its closing the connection
    bool clean = false;      ///< the client sent DISCONNECT
    bool expire = false;     ///< the session ends with the connection
};

using Codes = std::span<const uint8_t>;
using Counts = std::span<const int32_t>;

class Hook {
public:
    virtual ~Hook() = default;
    virtual std::string_view id() const = 0;
    /// Fixed while the hook is added.
    virtual EventMask events() const = 0;
    /// An error keeps the hook from being added.
    virtual Result<void> init() { return {}; }
    virtual void stop() {}

    virtual void on_started(Event&) {}
    virtual void on_stopped(Event&) {}
    virtual Verdict on_connect_authenticate(Event&, Client&, PacketBox&) { return Verdict::next; }
    virtual Verdict on_acl_check(Event&, Client&, std::string_view, Access) { return Verdict::next; }
    virtual void on_sys_info_tick(Event&, const MetricsSnapshot&) {}
    virtual Action on_connect(Event&, Client&, PacketBox&) { return Action::proceed; }
    virtual void on_session_establish(Event&, Client&, PacketBox&) {}
    virtual void on_session_established(Event&, Client&, PacketBox&) {}
    virtual void on_disconnect(Event&, Client&, const DisconnectInfo&) {}
    virtual Action on_auth_packet(Event&, Client&, PacketBox&) { return Action::proceed; }
    virtual Action on_packet_read(Event&, Client&, PacketBox&) { return Action::proceed; }
    virtual void on_packet_encode(Event&, Client&, PacketBox&) {}
    virtual void on_packet_sent(Event&, Client&, PacketBox&, ByteView) {}
    virtual void on_packet_processed(Event&, Client&, PacketBox&, mqtt::Reason) {}
    virtual void on_subscribe(Event&, Client&, PacketBox&) {}
    virtual void on_subscribed(Event&, Client&, PacketBox&, Codes, Counts) {}
    virtual void on_select_subscribers(Event&, Selection&, PacketBox&) {}
    virtual void on_unsubscribe(Event&, Client&, PacketBox&) {}
    virtual void on_unsubscribed(Event&, Client&, PacketBox&, Codes, Counts) {}
    virtual Action on_publish(Event&, Client&, PacketBox&) { return Action::proceed; }
    virtual void on_published(Event&, Client&, PacketBox&) {}
    virtual void on_publish_dropped(Event&, Client&, PacketBox&) {}
    /// 1 stored, -1 removed, 0 nothing there to remove.
    virtual void on_retain_message(Event&, Client&, PacketBox&, int) {}
    virtual void on_retain_published(Event&, Client&, PacketBox&) {}
    virtual void on_qos_publish(Event&, Client&, PacketBox&, int64_t /*sent_ms*/, int /*resends*/) {}
    virtual void on_qos_complete(Event&, Client&, PacketBox&) {}
    virtual void on_qos_dropped(Event&, Client&, PacketBox&) {}
    virtual void on_packet_id_exhausted(Event&, Client&, PacketBox&) {}
    virtual Action on_will(Event&, Client&, PacketBox&) { return Action::proceed; }
    virtual void on_will_sent(Event&, Client&, PacketBox&) {}
    virtual void on_client_expired(Event&, Client&) {}
    virtual void on_retained_expired(Event&, std::string_view) {}
    virtual Status stored_clients(Event&, StoredSink&) { return Status::not_found; }
    virtual Status stored_subscriptions(Event&, StoredSink&) { return Status::not_found; }
    virtual Status stored_inflight_messages(Event&, StoredSink&) { return Status::not_found; }
    virtual Status stored_retained_messages(Event&, StoredSink&) { return Status::not_found; }
    virtual Status stored_sys_info(Event&, MetricsSnapshot&) { return Status::not_found; }
    /// Shared groups and the members that got the message.
    virtual void on_published_with_shared_filters(Event&, PacketBox&, const Selection&) {}
    virtual Status stored_client_by_id(Event&, std::string_view, StoredSink&) { return Status::not_found; }
    virtual Status stored_subscriptions_by_client(Event&, std::string_view, StoredSink&) {
        return Status::not_found;
    }
    virtual Status stored_inflight_by_client(Event&, std::string_view, StoredSink&) {
        return Status::not_found;
    }
    virtual Status stored_retained_by_topic(Event&, std::string_view, StoredSink&) {
        return Status::not_found;
    }
    /// ok: stored, nothing waits. pending: Changes::complete follows; the hook keeps a count. Errors: not stored.
    virtual Status store_changes(Event&, Changes&) { return Status::ok; }
    /// The session of a client that connected and is not known here, for stores that several brokers share.
    /// ok: filled. not_found. pending: Load::complete follows; the hook keeps a count.
    virtual Status load_session(Event&, Load&) { return Status::not_found; }
    /// A page of the messages of a session that was restored without them, or that outgrew its place in memory.
    virtual Status load_messages(Event&, Load&) { return Status::not_found; }
};

}  // namespace comqtt::hooks
