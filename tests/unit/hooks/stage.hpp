#pragma once
// Short hands of the hook tests: a client, packets, a source of deferrals and a hook made of lambdas.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hooks/hook.hpp"

namespace comqtt::hooks::test {

inline Ref<Client> make_client(std::string id = "client") {
    auto client = Ref<Client>::adopt(new Client);
    client->id = std::move(id);
    return client;
}

inline Ref<PacketBox> make_box(mqtt::PacketType type = mqtt::PacketType::publish) {
    auto box = Ref<PacketBox>::adopt(new PacketBox);
    box->packet.type = type;
    return box;
}

/// Makes deferrals and remembers them and which of them were completed.
class Deferrals final : public DeferralSource {
public:
    Ref<Deferral> make_deferral(Client& client, PacketBox* packet) override {
        if (made.size() == limit) return {};
        made.push_back(Ref<Deferral>::adopt(
            new Deferral(made.size() + 1, Ref<Client>::share(&client), Ref<PacketBox>::share(packet),
                         [this](Deferral& deferral) { woken.push_back(deferral.number); })));
        return made.back();
    }

    size_t limit = SIZE_MAX;
    std::vector<Ref<Deferral>> made;
    std::vector<uint64_t> woken;
};

/// Answers as its members say; those that are not set answer NEXT and PROCEED.
class FakeHook final : public Hook {
public:
    FakeHook(std::string name, EventMask mask) : name_(std::move(name)), mask_(mask) {}

    std::string_view id() const override { return name_; }
    EventMask events() const override { return mask_; }
    Result<void> init() override {
        if (init_error.empty()) return {};
        return Error{Status::config, init_error};
    }
    Verdict on_acl_check(Event& event, Client& client, std::string_view topic, Access access) override {
        return acl ? acl(event, client, topic, access) : Verdict::next;
    }
    Action on_publish(Event& event, Client& client, PacketBox& packet) override {
        return publish ? publish(event, client, packet) : Action::proceed;
    }

    std::string init_error;
    std::function<Verdict(Event&, Client&, std::string_view, Access)> acl;
    std::function<Action(Event&, Client&, PacketBox&)> publish;

private:
    std::string name_;
    EventMask mask_;
};

}  // namespace comqtt::hooks::test
