#include "storage/file/file_kind.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/bytes.hpp"
#include "storage/file/schema.hpp"

namespace comqtt::storage {

namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kApplicationIdAt = 68;  ///< https://www.sqlite.org/fileformat.html, 1.3
constexpr size_t kHeaderSize = 100;
constexpr size_t kLookedAt = size_t{1} << 18;  ///< bytes; the schema is in the first pages
/// Of the text of the schema, which SQLite keeps as it was written.
constexpr std::string_view kOurTable = "CREATE TABLE removed (session INTEGER PRIMARY KEY)";

Error cannot(const std::string& path, std::string_view what) {
    return {Status::io, fmt::format("'{}' cannot be opened: {}", path, what)};
}

FileKind kind_of_bytes(std::string_view bytes, uint64_t size) {
    if (bytes.empty()) return FileKind::empty;
    const bool whole = bytes.size() >= kHeaderSize;
    const uint32_t application =
        whole ? load_u32(reinterpret_cast<const uint8_t*>(bytes.data()) + kApplicationIdAt) : 0;
    if (whole && application == static_cast<uint32_t>(kApplicationId)) return FileKind::ours;
    if (whole && bytes.starts_with(kMagic)) return application ? FileKind::database : FileKind::unmarked;
    // Pages of a store whose first bytes are ruined.
    if (size % kPageSize == 0 && bytes.find(kOurTable) != std::string_view::npos) return FileKind::ours;
    return FileKind::other;
}

Result<std::vector<char>> read_beginning(const std::string& path, uint64_t& size) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return cannot(path, std::generic_category().message(errno));
    struct stat status {};
    std::vector<char> bytes(kLookedAt);
    size_t used = 0;
    ssize_t count = ::fstat(file, &status) == 0 ? 1 : -1;
    while (count > 0 && used < bytes.size()) {
        count = ::read(file, bytes.data() + used, bytes.size() - used);
        if (count > 0) used += static_cast<size_t>(count);
    }
    const int why = errno;
    ::close(file);
    if (count < 0) return cannot(path, std::generic_category().message(why));
    size = static_cast<uint64_t>(status.st_size);
    bytes.resize(used);
    return bytes;
}

/// Fails for what is no file (a folder, a device, a pipe) and for what cannot be read.
Result<FileKind> kind_of_file(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return FileKind::missing;
        return cannot(path, std::generic_category().message(errno));
    }
    if (S_ISDIR(status.st_mode)) return cannot(path, "it is a folder");
    if (!S_ISREG(status.st_mode)) return cannot(path, "it is not a file");
    uint64_t size = 0;
    const auto bytes = read_beginning(path, size);
    if (!bytes) return bytes.error();
    return kind_of_bytes({bytes->data(), bytes->size()}, size);
}

}  // namespace

Error not_a_store(const std::string& path, FileKind kind) {
    return {
        Status::storage,
        fmt::format("'{}' is not a store of comqtt but {}; it is left as it is. Give another path, or move "
                    "it away",
                    path, kind == FileKind::other ? "another file" : "a database of another program")};
}

Result<FileKind> kind_of_store(const std::string& path) {
    auto kind = kind_of_file(path);
    if (kind && (*kind == FileKind::other || *kind == FileKind::database)) return not_a_store(path, *kind);
    return kind;
}

}  // namespace comqtt::storage
