#pragma once
// TableHook: a comqtt_hooks table as a hook of the core. Lives as long as the server's list and the calls that still
// run through it; called on the server's threads.

#include "capi/guard.hpp"
#include "hooks/hook.hpp"

namespace comqtt::capi {

class TableHook final : public hooks::Hook {
    using Event = hooks::Event;
    using Client = hooks::Client;
    using PacketBox = hooks::PacketBox;
    using Verdict = hooks::Verdict;
    using Action = hooks::Action;
    using StoredSink = hooks::StoredSink;

public:
    TableHook(const comqtt_hooks& table, Drop drop, Ref<comqtt_server> owner);
    ~TableHook() override;

    std::string_view id() const override { return id_; }
    hooks::EventMask events() const override { return events_; }
    Result<void> init() override;
    void stop() override;

    void on_started(Event& event) override;
    void on_stopped(Event& event) override;
    Verdict on_connect_authenticate(Event& event, Client& client, PacketBox& packet) override;
    Verdict on_acl_check(Event& event, Client& client, std::string_view topic, hooks::Access access) override;
    void on_sys_info_tick(Event& event, const MetricsSnapshot& metrics) override;
    Action on_connect(Event& event, Client& client, PacketBox& packet) override;
    void on_session_establish(Event& event, Client& client, PacketBox& packet) override;
    void on_session_established(Event& event, Client& client, PacketBox& packet) override;
    void on_disconnect(Event& event, Client& client, const hooks::DisconnectInfo& info) override;
    Action on_auth_packet(Event& event, Client& client, PacketBox& packet) override;
    Action on_packet_read(Event& event, Client& client, PacketBox& packet) override;
    void on_packet_encode(Event& event, Client& client, PacketBox& packet) override;
    void on_packet_sent(Event& event, Client& client, PacketBox& packet, ByteView bytes) override;
    void on_packet_processed(Event& event, Client& client, PacketBox& packet, mqtt::Reason reason) override;
    void on_subscribe(Event& event, Client& client, PacketBox& packet) override;
    void on_subscribed(Event& event, Client& client, PacketBox& packet, hooks::Codes codes,
                       hooks::Counts counts) override;
    void on_select_subscribers(Event& event, hooks::Selection& selection, PacketBox& packet) override;
    void on_unsubscribe(Event& event, Client& client, PacketBox& packet) override;
    void on_unsubscribed(Event& event, Client& client, PacketBox& packet, hooks::Codes codes,
                         hooks::Counts counts) override;
    Action on_publish(Event& event, Client& client, PacketBox& packet) override;
    void on_published(Event& event, Client& client, PacketBox& packet) override;
    void on_publish_dropped(Event& event, Client& client, PacketBox& packet) override;
    void on_retain_message(Event& event, Client& client, PacketBox& packet, int change) override;
    void on_retain_published(Event& event, Client& client, PacketBox& packet) override;
    void on_qos_publish(Event& event, Client& client, PacketBox& packet, int64_t sent_ms,
                        int resends) override;
    void on_qos_complete(Event& event, Client& client, PacketBox& packet) override;
    void on_qos_dropped(Event& event, Client& client, PacketBox& packet) override;
    void on_packet_id_exhausted(Event& event, Client& client, PacketBox& packet) override;
    Action on_will(Event& event, Client& client, PacketBox& packet) override;
    void on_will_sent(Event& event, Client& client, PacketBox& packet) override;
    void on_client_expired(Event& event, Client& client) override;
    void on_retained_expired(Event& event, std::string_view topic) override;
    Status stored_clients(Event& event, StoredSink& sink) override;
    Status stored_subscriptions(Event& event, StoredSink& sink) override;
    Status stored_inflight_messages(Event& event, StoredSink& sink) override;
    Status stored_retained_messages(Event& event, StoredSink& sink) override;
    Status stored_sys_info(Event& event, MetricsSnapshot& metrics) override;
    void on_published_with_shared_filters(Event& event, PacketBox& packet,
                                          const hooks::Selection& selection) override;
    Status stored_client_by_id(Event& event, std::string_view id, StoredSink& sink) override;
    Status stored_subscriptions_by_client(Event& event, std::string_view id, StoredSink& sink) override;
    Status stored_inflight_by_client(Event& event, std::string_view id, StoredSink& sink) override;
    Status stored_retained_by_topic(Event& event, std::string_view topic, StoredSink& sink) override;
    Status store_changes(Event& event, hooks::Changes& changes) override;
    Status load_session(Event& event, hooks::Load& load) override;
    Status load_messages(Event& event, hooks::Load& load) override;

private:
    /// Calls `slot(user, event, arguments...)` as a callback of the server; what it throws is a failure.
    template <typename Slot, typename... Arguments>
    auto call(Event& event, Slot slot, Arguments... arguments);
    /// The same for a slot that may edit the packet, until it returns or its deferral is completed.
    template <typename Slot>
    auto edit(Event& event, Slot slot, Client& client, PacketBox& packet);
    /// The same for slots that answer; what is no answer is a failure.
    template <typename Slot, typename... Arguments>
    Verdict ask(Event& event, Slot slot, Arguments... arguments);
    template <typename Slot>
    Action act(Event& event, Slot slot, Client& client, PacketBox& packet);
    template <typename Slot, typename... Arguments>
    Status load(Event& event, StoredSink& sink, Slot slot, Arguments... arguments);
    /// Shows a batch or a request as a `Handle` that the slot may keep and complete later.
    template <typename Handle, typename Slot, typename Core>
    Status show_request(Event& event, Slot slot, Core& core);

    comqtt_client* show(Client& client) const { return wrap(client, *owner_); }
    /// A packet that the slot may look at only.
    static comqtt_packet* read_only(PacketBox& packet);

    comqtt_hooks table_;
    std::string id_;
    hooks::EventMask events_ = 0;
    Ref<comqtt_server> owner_;
    Drop drop_;
};

}  // namespace comqtt::capi
