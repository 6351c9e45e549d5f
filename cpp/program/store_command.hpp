#pragma once
// `comqtt store`: work on a store that no broker is running on.

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace comqtt::program {

struct StoreCommand {
    enum class Action { check, repair, export_, import };
    Action action = Action::check;
    std::string path = "comqtt.db";
    std::string file;  ///< export: "-" is the standard output
    std::string format = "auto";
};

/// Adds `store` and what comes after it. `command` is filled while the line is parsed.
void add_store_command(CLI::App& app, std::optional<StoreCommand>& command);

/// Why the command line is wrong, when it is because no command follows `store`, or an unknown one. Else empty.
std::string missing_store_command(const CLI::App& app);

/// Returns the exit code: 0 = done, and for check: sound.
int run_store_command(const StoreCommand& command);

}  // namespace comqtt::program
