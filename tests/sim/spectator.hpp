#pragma once
// Spectator: a hook that wants to see packets and publishes and changes nothing, so that the broker takes the paths
// it has for hooks.

#include "hooks/hook.hpp"

namespace comqtt::sim {

class Spectator final : public hooks::Hook {
public:
    explicit Spectator(bool selects) : selects_(selects) {}

    std::string_view id() const override { return "spectator"; }
    hooks::EventMask events() const override {
        using hooks::EventId;
        hooks::EventMask mask = 0;
        for (const EventId id :
             {EventId::on_packet_read, EventId::on_packet_encode, EventId::on_packet_sent,
              EventId::on_packet_processed, EventId::on_publish, EventId::on_published,
              EventId::on_qos_publish, EventId::on_qos_complete, EventId::on_retain_published})
            mask |= hooks::mask_of(id);
        return selects_ ? mask | hooks::mask_of(EventId::on_select_subscribers) : mask;
    }

private:
    bool selects_;
};

}  // namespace comqtt::sim
