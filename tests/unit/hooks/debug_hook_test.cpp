#include "hooks/debug_hook.hpp"

#include <doctest/doctest.h>

#include "stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using namespace comqtt::hooks::test;

namespace {

/// The lines that a debug hook writes about packets of one client.
struct Stage {
    explicit Stage(DebugConfig config = {}, LogLevel level = LogLevel::debug)
        : hook(Log([this](LogLevel, std::string_view component,
                          std::string_view line) { lines.push_back(fmt::format("{}: {}", component, line)); },
                   level),
               config) {}

    std::string read(const mqtt::Packet& packet) {
        const auto box = make_box();
        box->packet = packet;
        Event event(EventId::on_packet_read, 0, client.get(), box.get());
        lines.clear();
        CHECK(hook.on_packet_read(event, *client, *box) == Action::proceed);
        return lines.empty() ? "" : lines.back();
    }

    std::vector<std::string> lines;
    Ref<Client> client = make_client("c1");
    DebugHook hook;
};

mqtt::Packet packet_of(mqtt::PacketType type) {
    mqtt::Packet packet;
    packet.type = type;
    return packet;
}

mqtt::Packet connect_packet() {
    mqtt::Packet packet = packet_of(mqtt::PacketType::connect);
    packet.connect.client_id = "c1";
    packet.connect.username = "user";
    packet.connect.password = "secret";
    return packet;
}

}  // namespace

TEST_CASE("packets are logged by name without their data unless it is asked for") {
    mqtt::Packet publish = packet_of(mqtt::PacketType::publish);
    publish.topic_name = "a/b";
    publish.payload = "hello";
    CHECK(Stage().read(publish) == "debug: PUBLISH << client='c1'");
    CHECK(Stage({.show_packet_data = true}).read(publish) ==
          "debug: PUBLISH << client='c1' topic='a/b' payload='hello' raw=68656c6c6f qos=0 id=0 retain=false "
          "dup=false");
}

TEST_CASE("a password is in the log only when it is asked for by name") {
    CHECK(Stage().read(connect_packet()).find("user") == std::string::npos);
    const std::string data = Stage({.show_packet_data = true}).read(connect_packet());
    CHECK(data.find("username='user'") != std::string::npos);
    CHECK(data.find("secret") == std::string::npos);
    CHECK(Stage({.show_passwords = true}).read(connect_packet()).find("secret") == std::string::npos);
    CHECK(Stage({.show_packet_data = true, .show_passwords = true})
              .read(connect_packet())
              .ends_with("password='secret'"));
}

TEST_CASE("pings are logged only when they are asked for") {
    for (const auto type : {mqtt::PacketType::pingreq, mqtt::PacketType::pingresp}) {
        CHECK(Stage().read(packet_of(type)).empty());
        CHECK_FALSE(Stage({.show_pings = true}).read(packet_of(type)).empty());
    }
}

TEST_CASE("bytes of clients that a terminal should not get raw are written as numbers") {
    Stage stage({.show_packet_data = true});
    stage.client->id = "evil\x1b[2J\n";
    mqtt::Packet publish = packet_of(mqtt::PacketType::publish);
    publish.topic_name = "back\\slash";
    publish.payload = std::string("\x00\x7F\xC3\xA9", 4);
    const std::string line = stage.read(publish);
    CHECK(line.find("client='evil\\x1b[2J\\x0a'") != std::string::npos);
    CHECK(line.find("topic='back\\x5cslash'") != std::string::npos);
    CHECK(line.find("payload='\\x00\\x7f\\xc3\\xa9'") != std::string::npos);
    for (const char c : line) CHECK((c >= 0x20 && c < 0x7F));
}

TEST_CASE("filters are logged with the QoS asked for, and answers with their codes") {
    Stage stage({.show_packet_data = true});
    mqtt::Packet subscribe = packet_of(mqtt::PacketType::subscribe);
    subscribe.packet_id = 9;
    subscribe.filters = {{"a/#", 1}, {"b", 0}};
    CHECK(stage.read(subscribe) == "debug: SUBSCRIBE << client='c1' id=9 filters=['a/#':1 'b':0]");
    mqtt::Packet suback = packet_of(mqtt::PacketType::suback);
    suback.packet_id = 9;
    suback.reason_codes = {1, 0x87};
    CHECK(stage.read(suback) == "debug: SUBACK << client='c1' id=9 reasons=[1 135]");
    mqtt::Packet disconnect = packet_of(mqtt::PacketType::disconnect);
    disconnect.reason = mqtt::Reason::session_taken_over;
    disconnect.properties.set_text(mqtt::PropertyId::reason_string, "moved");
    CHECK(stage.read(disconnect) == "debug: DISCONNECT << client='c1' reason=142 reason-string='moved'");
}

TEST_CASE("nothing is written below level debug") {
    Stage stage({.show_packet_data = true, .show_pings = true}, LogLevel::info);
    CHECK(stage.read(connect_packet()).empty());
    CHECK(stage.hook.init());
    stage.hook.stop();
    CHECK(stage.lines.empty());
}
