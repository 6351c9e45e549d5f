#include "storage/tools/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace comqtt::storage::tools {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBeside[] = {"", "-wal", "-journal"};

Error io_error(const std::string& path, const std::error_code& code) {
    return {code == std::errc::no_such_file_or_directory ? Status::not_found : Status::io,
            path + ": " + code.message()};
}

Result<void> sync_fd(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0) ::close(fd);
    if (!done) return io_error(path, {why, std::generic_category()});
    return {};
}

}  // namespace

bool file_exists(const std::string& path) {
    std::error_code error;
    return fs::exists(path, error);
}

uint64_t file_size(const std::string& path) {
    std::error_code error;
    const uint64_t size = fs::file_size(path, error);
    return error ? 0 : size;
}

uint64_t store_size(const std::string& path) {
    uint64_t sum = 0;
    for (const char* beside : kBeside) sum += file_size(path + beside);
    return sum;
}

Result<void> copy_store(const std::string& from, const std::string& to) {
    for (const char* beside : kBeside) {
        std::error_code error;
        if (*beside && !fs::exists(from + beside, error)) continue;
        if (!fs::copy_file(from + beside, to + beside, fs::copy_options::overwrite_existing, error) || error)
            return io_error(to + beside, error);
    }
    return {};
}

void remove_store(const std::string& path) {
    std::error_code error;
    for (const char* beside : {"", "-wal", "-journal", "-shm"}) fs::remove(path + beside, error);
}

Result<void> rename_store(const std::string& from, const std::string& to) {
    std::error_code error;
    fs::remove(from + "-shm", error);
    // The log first: a database that is found under the new name has its log beside it.
    for (const char* beside : {"-wal", "-journal", ""}) {
        error.clear();
        if (*beside && !fs::exists(from + beside, error)) continue;
        fs::rename(from + beside, to + beside, error);
        if (error) return io_error(from + beside, error);
    }
    return {};
}

Result<FileLock> lock_store(const std::string& path) {
    auto lock = FileLock::take(real_path(path));
    if (lock || lock.error().status != Status::storage) return lock;
    return Error{Status::state, path + " is in use: a broker runs on it, or another tool; stop it first"};
}

Result<void> require_store(const std::string& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status)) return Error{Status::not_found, path + ": no such file"};
    if (!fs::is_regular_file(status)) return Error{Status::invalid_argument, path + ": not a file"};
    return {};
}

Result<void> sync_folder(const std::string& path) {
    const std::string folder = fs::path(path).parent_path().string();
    return sync_fd(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

Result<void> sync_file(const std::string& path) { return sync_fd(path, O_RDONLY); }

Result<std::string> read_file(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
        if (!error) error = std::make_error_code(std::errc::invalid_argument);
        return io_error(path, error);
    }
    std::ifstream stream(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.is_open() || stream.bad()) return Error{Status::io, path + ": cannot be read"};
    return bytes;
}

}  // namespace comqtt::storage::tools
