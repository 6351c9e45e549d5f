#pragma once
// AllowLoopback: who comes from this machine may do everything; about others it has no opinion.

#include <functional>
#include <string_view>
#include <utility>

#include "hooks/hook.hpp"

namespace comqtt::auth {

/// True for "127.a.b.c:port", "[::1]:port", "[::ffff:127.a.b.c]:port".
inline bool is_loopback_address(std::string_view remote) {
    constexpr std::string_view kMapped = "[::ffff:127.";
    return remote.starts_with("127.") || remote.starts_with("[::1]") || remote.starts_with(kMapped);
}

class AllowLoopback final : public hooks::Hook {
public:
    /// Tells whether a listener, by its id, has peers on this machine only (unix socket, pipe).
    using IsLocal = std::function<bool(std::string_view listener)>;

    explicit AllowLoopback(IsLocal is_local) : is_local_(std::move(is_local)) {}

    std::string_view id() const override { return "allow-loopback"; }
    hooks::EventMask events() const override {
        return hooks::mask_of(hooks::EventId::on_connect_authenticate) |
               hooks::mask_of(hooks::EventId::on_acl_check);
    }
    hooks::Verdict on_connect_authenticate(hooks::Event&, hooks::Client& client, hooks::PacketBox&) override {
        return verdict(client);
    }
    hooks::Verdict on_acl_check(hooks::Event& event, hooks::Client& client, std::string_view,
                                hooks::Access) override {
        event.set_for_all_topics();
        return verdict(client);
    }

private:
    hooks::Verdict verdict(const hooks::Client& client) const {
        return is_loopback_address(client.remote) || is_local_(client.listener) ? hooks::Verdict::allow
                                                                                : hooks::Verdict::next;
    }

    IsLocal is_local_;
};

}  // namespace comqtt::auth
