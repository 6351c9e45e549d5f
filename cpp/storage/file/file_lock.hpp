#pragma once
// FileLock: one store per file. A lock on `<path>-lock`, for SQLite's own locks cannot keep out a second store and let
// readers in. Held as long as the object lives; the file goes with it.

#include <string>

#include "base/result.hpp"

namespace comqtt::storage {

/// The same file by any of its names: what is locked.
std::string real_path(const std::string& path);

class FileLock {
public:
    /// Fails at once when another process, or another store of this one, has it.
    static Result<FileLock> take(const std::string& path);

    FileLock() = default;
    FileLock(FileLock&& other) noexcept { swap(other); }
    FileLock& operator=(FileLock&& other) noexcept {
        swap(other);
        return *this;
    }
    ~FileLock();

private:
    void swap(FileLock& other) {
        std::swap(file_, other.file_);
        std::swap(name_, other.name_);
    }

    int file_ = -1;
    std::string name_;
};

}  // namespace comqtt::storage
