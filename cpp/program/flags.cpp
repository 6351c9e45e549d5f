#include "flags.hpp"

#include <comqtt.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace comqtt::program {

namespace {

constexpr const char* kDefaultTcp = ":1883";
constexpr const char* kDefaultStorageWay = "1";

// In the order of comqtt_log_level.
const std::vector<std::string> kLogLevels = {"debug", "info", "warn", "error", "off"};

std::pair<std::string, std::string> split_setting(const std::string& text) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        throw CLI::ValidationError("--set", "expected KEY=VALUE, got \"" + text + "\"");
    return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

Parsed parse_flags(int argc, char** argv) {
    Flags flags;
    std::vector<std::string> settings;
    std::string log_level = kLogLevels[COMQTT_LOG_INFO];
    unsigned threads = 0;
    std::optional<StoreCommand> store;

    CLI::App app(
        "An MQTT 3.1, 3.1.1 and 5.0 broker. Clients of this machine may do everything, all others nothing.",
        "comqtt");
    app.get_formatter()->column_width(28);
    app.add_option("--tcp", flags.tcp_addresses, "Listen on this TCP address; may be repeated [:1883]")
        ->type_name("ADDR:PORT")
        ->allow_extra_args(false);
    app.add_option("--unix", flags.unix_paths, "Listen on this Unix socket; may be repeated")
        ->type_name("PATH")
        ->allow_extra_args(false);
    std::string storage_path, storage_way = kDefaultStorageWay, durability, sync;
    app.add_option("--storage-path", storage_path,
                   "Keep sessions and retained messages in this file [comqtt.db]")
        ->type_name("FILE");
    app.add_option("--storage-way", storage_way, "0 = memory only, 1 = SQLite file [1]")
        ->type_name("N")
        ->check(CLI::IsMember(std::vector<std::string>{"0", "1"}).description(""));
    app.add_option("--durability", durability,
                   "strict: acknowledged means committed; relaxed: commit within the flush interval [strict]")
        ->type_name("WORD")
        ->check(CLI::IsMember(std::vector<std::string>{"strict", "relaxed"}).description(""));
    app.add_option("--sync", sync,
                   "What a commit survives: full = power loss, normal = the process's end, off [full]")
        ->type_name("WORD")
        ->check(CLI::IsMember(std::vector<std::string>{"full", "normal", "off"}).description(""));
    CLI::Option* threads_option =
        app.add_option("--threads", threads, "Threads that serve clients [one per core]")->type_name("N");
    app.add_option("--set", settings, "Set an option by its configuration key; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    app.add_option("--log-level", log_level, "debug, info, warn, error or off [info]")
        ->type_name("LEVEL")
        ->check(CLI::IsMember(kLogLevels).description(""));
    app.set_version_flag("--version", std::string("comqtt ") + comqtt_version_text(),
                         "Print the version and end");
    app.set_help_flag("--help,-h", "Print this and end");

    add_store_command(app, store);

    try {
        app.parse(argc, argv);
        for (const std::string& text : settings) flags.settings.push_back(split_setting(text));
    } catch (const CLI::ParseError& error) {
        return {std::nullopt, std::nullopt, app.exit(error) == 0 ? 0 : 1};
    }
    if (store) return {std::nullopt, std::move(store), 0};
    flags.log_level = static_cast<int>(std::ranges::find(kLogLevels, log_level) - kLogLevels.begin());
    const auto setting = [&](const char* key, const std::string& value) {
        if (!value.empty()) flags.settings.insert(flags.settings.begin(), {key, value});
    };
    setting("storage-way", storage_way);
    setting("storage-path", storage_path);
    setting("storage.durability", durability);
    setting("storage.sync", sync);
    if (*threads_option) flags.settings.emplace_back("threads", std::to_string(threads));
    if (flags.tcp_addresses.empty() && flags.unix_paths.empty())
        flags.tcp_addresses.emplace_back(kDefaultTcp);
    return {std::move(flags), std::nullopt, 0};
}

}  // namespace comqtt::program
