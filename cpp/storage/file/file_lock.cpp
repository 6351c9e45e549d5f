#include "storage/file/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace comqtt::storage {

namespace {

/// The name still leads to the file that was locked: its last owner has not removed it meanwhile.
bool still_there(int file, const std::string& name) {
    struct stat opened {
    }, named{};
    return fstat(file, &opened) == 0 && stat(name.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

}  // namespace

std::string real_path(const std::string& path) {
    std::error_code error;
    const auto real = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    return error || real.empty() ? path : real.string();
}

Result<FileLock> FileLock::take(const std::string& path) {
    FileLock lock;
    lock.name_ = path + "-lock";
    for (;;) {
        const int file = open(lock.name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (file < 0)
            return Error{Status::io, fmt::format("'{}' cannot be opened: its lock '{}': {}", path, lock.name_,
                                                 std::generic_category().message(errno))};
        if (flock(file, LOCK_EX | LOCK_NB) != 0) {
            const int reason = errno;
            close(file);
            if (reason == EINTR) continue;
            if (reason == EWOULDBLOCK)
                return Error{Status::storage, fmt::format("'{}' is in use by another broker, or by `comqtt "
                                                          "store`; stop it first, or give another path",
                                                          path)};
            return Error{Status::io, fmt::format("'{}' cannot be locked: {}", path,
                                                 std::generic_category().message(reason))};
        }
        if (still_there(file, lock.name_)) {
            lock.file_ = file;
            return lock;
        }
        close(file);
    }
}

FileLock::~FileLock() {
    if (file_ < 0) return;
    unlink(name_.c_str());
    close(file_);
}

}  // namespace comqtt::storage
