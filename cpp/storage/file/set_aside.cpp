// A file that cannot be used keeps its content under another name.

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>

#include "storage/file/sqlite_open.hpp"

namespace comqtt::storage {

namespace {

namespace fs = std::filesystem;

std::string time_stamp() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    const size_t size = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
    return {text, size};
}

bool taken(const std::string& name) {
    std::error_code ignored;
    for (const char* part : {"", "-wal", "-journal"})
        if (fs::exists(fs::symlink_status(name + part, ignored))) return true;
    return false;
}

}  // namespace

std::string free_name(const std::string& path) {
    const std::string wanted = path + ".bad-" + time_stamp();
    std::string name = wanted;
    for (int number = 2; taken(name); ++number) name = fmt::format("{}-{}", wanted, number);
    return name;
}

Result<std::string> set_aside(const std::string& path) {
    std::string name = free_name(path);
    std::error_code error;
    fs::remove(path + "-shm", error);  // an index of the log that is made anew
    // The log first: a database without its log is older than it says.
    for (const char* part : {"-wal", "-journal", ""}) {
        if (*part && !fs::exists(path + part, error)) continue;
        if (*part && fs::file_size(path + part, error) == 0 && fs::remove(path + part, error)) continue;
        fs::rename(path + part, name + part, error);
        if (error)
            return Error{Status::io, fmt::format("'{}{}' cannot be renamed to '{}{}': {}", path, part, name,
                                                 part, error.message())};
    }
    return name;
}

}  // namespace comqtt::storage
