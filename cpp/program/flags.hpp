#pragma once
// Flags: what the command line asks for.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store_command.hpp"

namespace comqtt::program {

struct Flags {
    std::vector<std::string> tcp_addresses;  ///< "host:port"
    std::vector<std::string> unix_paths;
    std::vector<std::pair<std::string, std::string>> settings;  ///< option key and value, in the order given
    int log_level = 1;                                          ///< comqtt_log_level
};

/// The flags, or the work on a store, or the exit code when there is nothing more to do: --help, --version, or an error that was printed.
struct Parsed {
    std::optional<Flags> flags;
    std::optional<StoreCommand> store;
    int exit_code = 0;
};

Parsed parse_flags(int argc, char** argv);

}  // namespace comqtt::program
