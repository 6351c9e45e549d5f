#include "flags.hpp"

#include <comqtt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

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

/// The key without the prefix it has in a configuration file.
std::string bare(const std::string& key) {
    for (const std::string prefix : {"mqtt.options.", "options."})
        if (key.starts_with(prefix)) return key.substr(prefix.size());
    return key;
}

/// Options that have a flag of their own.
struct Twin {
    const char* flag;
    const char* key;
    std::string* value;
};

/// The flag's value is the option's, unless `--set` gives another: which of the two is meant cannot be known.
void add_flag(Flags& flags, const CLI::App& app, const Twin& twin) {
    const bool given = app.count(twin.flag) > 0;
    for (const auto& [key, value] : flags.settings)
        if (given && bare(key) == twin.key && value != *twin.value)
            throw CLI::ValidationError(twin.flag, std::string(twin.flag) + " " + *twin.value + " and --set " +
                                                      key + "=" + value +
                                                      " contradict each other: give one of them");
    if (given && twin.value->empty())
        throw CLI::ValidationError(twin.flag, std::string(twin.flag) + ": the value is empty");
    // Before the others, so that --set changes what is only the program's default.
    if (!twin.value->empty()) flags.settings.insert(flags.settings.begin(), {twin.key, *twin.value});
}

/// What the library offers its hosts and makes no sense here, and what the program does itself.
void judge_settings(Flags& flags, std::string& log_level) {
    std::erase_if(flags.settings, [&](const auto& setting) {
        const auto& [key, value] = setting;
        if (bare(key) == "clock" && value == "manual")
            throw CLI::ValidationError(
                "--set", "--set " + key + "=" + value +
                             ": a broker whose clock stands still is for tests that use the library; "
                             "this program goes by the system's clock");
        if (bare(key) != "log-level") return false;
        log_level = value;
        if (std::ranges::find(kLogLevels, value) == kLogLevels.end())
            throw CLI::ValidationError(
                "--set", "--set " + key + "=" + value + ": debug, info, warn, error or off is expected");
        return true;
    });
}

}  // namespace

Parsed parse_flags(int argc, char** argv) {
    Flags flags;
    std::vector<std::string> settings;
    std::string log_level = kLogLevels[COMQTT_LOG_INFO];
    std::string threads;
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
        for (const Twin& twin :
             {Twin{"--threads", "threads", &threads}, Twin{"--sync", "storage.sync", &sync},
              Twin{"--durability", "storage.durability", &durability},
              Twin{"--storage-path", "storage-path", &storage_path},
              Twin{"--storage-way", "storage-way", &storage_way},
              Twin{"--log-level", "log-level", &log_level}})
            add_flag(flags, app, twin);
        judge_settings(flags, log_level);
    } catch (const CLI::ParseError& error) {
        if (const std::string why = missing_store_command(app); error.get_exit_code() != 0 && !why.empty()) {
            std::fprintf(stderr, "comqtt: %s\nRun with --help for more information.\n", why.c_str());
            return {std::nullopt, std::nullopt, 1};
        }
        return {std::nullopt, std::nullopt, app.exit(error) == 0 ? 0 : 1};
    }
    if (store) return {std::nullopt, std::move(store), 0};
    flags.log_level = static_cast<int>(std::ranges::find(kLogLevels, log_level) - kLogLevels.begin());
    if (flags.tcp_addresses.empty() && flags.unix_paths.empty())
        flags.tcp_addresses.emplace_back(kDefaultTcp);
    return {std::move(flags), std::nullopt, 0};
}

}  // namespace comqtt::program
