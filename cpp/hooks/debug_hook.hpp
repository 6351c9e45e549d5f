#pragma once
// DebugHook: writes what goes on to the log, at level debug. Lives as long as it is added; any thread.

#include "base/log.hpp"
#include "hooks/hook.hpp"

namespace comqtt::hooks {

struct DebugConfig {
    bool show_packet_data = false;  ///< the fields of each packet
    bool show_pings = false;
    bool show_passwords = false;
};

class DebugHook final : public Hook {
public:
    DebugHook(Log log, DebugConfig config) : log_(std::move(log)), config_(config) {}

    std::string_view id() const override { return "debug"; }
    EventMask events() const override;
    Result<void> init() override;
    void stop() override;

    void on_started(Event&) override;
    void on_stopped(Event&) override;
    Action on_packet_read(Event&, Client& client, PacketBox& packet) override;
    void on_packet_sent(Event&, Client& client, PacketBox& packet, ByteView) override;
    void on_session_established(Event&, Client& client, PacketBox&) override;
    void on_disconnect(Event&, Client& client, const DisconnectInfo& info) override;
    void on_subscribed(Event&, Client& client, PacketBox& packet, Codes, Counts) override;
    void on_unsubscribed(Event&, Client& client, PacketBox& packet, Codes, Counts) override;
    void on_published(Event&, Client& client, PacketBox& packet) override;
    void on_publish_dropped(Event&, Client& client, PacketBox& packet) override;
    void on_retain_message(Event&, Client& client, PacketBox& packet, int change) override;
    void on_qos_dropped(Event&, Client& client, PacketBox& packet) override;
    void on_packet_id_exhausted(Event&, Client& client, PacketBox& packet) override;
    void on_will_sent(Event&, Client& client, PacketBox& packet) override;
    void on_client_expired(Event&, Client& client) override;
    void on_retained_expired(Event&, std::string_view topic) override;

private:
    /// One packet, "<<" in or ">>" out.
    void packet_line(const char* arrow, const Client& client, const mqtt::Packet& packet) const;

    Log log_;
    DebugConfig config_;
};

}  // namespace comqtt::hooks
