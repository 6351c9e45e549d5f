#include "unit/storage/faulty_vfs.hpp"

#include <new>

namespace comqtt::storage::test {

namespace {

/// Our part of an open file; the system's part lies behind it.
struct File {
    sqlite3_file base;
    FaultyVfs* vfs;
};

constexpr size_t kOwnSize = (sizeof(File) + 15) / 16 * 16;

sqlite3_file* inner(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kOwnSize);
}
FaultyVfs& vfs_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->vfs; }

/// Hands a call through to the system's file.
template <auto Method, typename... Args>
auto pass(sqlite3_file* file, Args... args) {
    sqlite3_file* real = inner(file);
    return (real->pMethods->*Method)(real, args...);
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    if (const int code = vfs_of(file).write_code()) return code;
    return pass<&sqlite3_io_methods::xWrite>(file, data, size, offset);
}

int sync(sqlite3_file* file, int flags) {
    if (const int code = vfs_of(file).sync()) return code;
    return pass<&sqlite3_io_methods::xSync>(file, flags);
}

const sqlite3_io_methods kMethods = {
    3,
    pass<&sqlite3_io_methods::xClose>,
    pass<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    write,
    pass<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    sync,
    pass<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    pass<&sqlite3_io_methods::xLock, int>,
    pass<&sqlite3_io_methods::xUnlock, int>,
    pass<&sqlite3_io_methods::xCheckReservedLock, int*>,
    pass<&sqlite3_io_methods::xFileControl, int, void*>,
    pass<&sqlite3_io_methods::xSectorSize>,
    pass<&sqlite3_io_methods::xDeviceCharacteristics>,
    pass<&sqlite3_io_methods::xShmMap, int, int, int, void volatile**>,
    pass<&sqlite3_io_methods::xShmLock, int, int, int>,
    pass<&sqlite3_io_methods::xShmBarrier>,
    pass<&sqlite3_io_methods::xShmUnmap, int>,
    pass<&sqlite3_io_methods::xFetch, sqlite3_int64, int, void**>,
    pass<&sqlite3_io_methods::xUnfetch, sqlite3_int64, void*>,
};

sqlite3_vfs* real_vfs = nullptr;

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    auto* own = new (file) File{};
    own->vfs = static_cast<FaultyVfs*>(vfs->pAppData);
    const int code = real_vfs->xOpen(real_vfs, name, inner(file), flags, out_flags);
    if (code == SQLITE_OK) own->base.pMethods = &kMethods;
    return code;
}

}  // namespace

FaultyVfs::FaultyVfs() {
    real_vfs = sqlite3_vfs_find("unix");
    vfs_ = *real_vfs;
    vfs_.zName = "comqtt-faulty";
    vfs_.szOsFile = static_cast<int>(kOwnSize) + real_vfs->szOsFile;
    vfs_.pAppData = this;
    vfs_.pNext = nullptr;
    vfs_.xOpen = open;
    vfs_.xDelete = [](sqlite3_vfs*, const char* name, int sync_dir) {
        return real_vfs->xDelete(real_vfs, name, sync_dir);
    };
    vfs_.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* out) {
        return real_vfs->xAccess(real_vfs, name, flags, out);
    };
    vfs_.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
        return real_vfs->xFullPathname(real_vfs, name, size, out);
    };
    sqlite3_vfs_register(&vfs_, 1);
}

FaultyVfs::~FaultyVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_vfs, 1);
}

int FaultyVfs::sync() {
    ++syncs_;
    std::unique_lock lock(mutex_);
    ++held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !holding_; });
    --held_;
    return sync_code_;
}

void FaultyVfs::hold_syncs(bool hold) {
    const std::lock_guard lock(mutex_);
    holding_ = hold;
    changed_.notify_all();
}

void FaultyVfs::await_held_sync() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return holding_ && held_ > 0; });
}

}  // namespace comqtt::storage::test
