#include <doctest/doctest.h>

#include <new>

#include "sim/stage.hpp"

using namespace comqtt;
using namespace comqtt::sim;

namespace {

/// Runs out of memory at each message to "big".
class Hungry final : public hooks::Hook {
public:
    std::string_view id() const override { return "hungry"; }
    hooks::EventMask events() const override { return hooks::mask_of(hooks::EventId::on_publish); }
    hooks::Action on_publish(hooks::Event&, hooks::Client&, hooks::PacketBox& box) override {
        if (box.packet.topic_name == "big") throw std::bad_alloc();
        return hooks::Action::proceed;
    }
};

}  // namespace

TEST_CASE("memory that is out costs the connection it was wanted for, nobody else") {
    for (unsigned count = 1; count <= 2; ++count) {
        Stage stage(shards(count));
        REQUIRE(stage.sim.core->hooks.add(std::make_shared<Hungry>()));
        Client& other = stage.connected("other", 0);
        Client& greedy = stage.connected("greedy", 0);
        greedy.expects_end = true;
        greedy.publish("big", {});
        stage.rest();
        CHECK(!greedy.up());
        CHECK(other.up());
        other.ping();
        stage.rest();
        CHECK(other.at_rest());
        uint64_t failures = 0;
        for (const auto& shard : stage.sim.core->shards) failures += shard->metrics().memory_failures.get();
        CHECK(failures == 1);
    }
}
