#pragma once
// AllowAll: everyone may connect, publish and subscribe.

#include "hooks/hook.hpp"

namespace comqtt::auth {

class AllowAll final : public hooks::Hook {
public:
    std::string_view id() const override { return "allow-all-auth"; }
    hooks::EventMask events() const override {
        return hooks::mask_of(hooks::EventId::on_connect_authenticate) |
               hooks::mask_of(hooks::EventId::on_acl_check);
    }
    hooks::Verdict on_connect_authenticate(hooks::Event&, hooks::Client&, hooks::PacketBox&) override {
        return hooks::Verdict::allow;
    }
    hooks::Verdict on_acl_check(hooks::Event& event, hooks::Client&, std::string_view,
                                hooks::Access) override {
        event.set_for_all_topics();
        return hooks::Verdict::allow;
    }
};

}  // namespace comqtt::auth
