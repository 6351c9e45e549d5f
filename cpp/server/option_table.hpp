#pragma once
// The option table: one row per option. Docs, checks, reading and writing are made from it.

#include <span>
#include <string>

#include "server/options.hpp"

namespace comqtt::server {

struct OptionRow {
    OptionInfo info;
    int64_t (*read)(const Options&);
    void (*write)(Options&, int64_t);
    /// Words of a text option, by value; null for the others.
    const char* const* words = nullptr;
    /// Where the value of a free text option is; null for the others, `read` and `write` are null then.
    std::string& (*text)(Options&) = nullptr;
};

std::span<const OptionRow> option_table();

}  // namespace comqtt::server
