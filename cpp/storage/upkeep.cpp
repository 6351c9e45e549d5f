#include "storage/upkeep.hpp"

#include <algorithm>

namespace comqtt::storage {

namespace {

constexpr int kLogStart = 8192;     ///< pages of 4 KiB: 32 MiB, copied from here on
constexpr int kLogRest = 1024;      ///< the writer itself copies no more than these, usually
constexpr int kLogMost = 65'536;    ///< 256 MiB: commits wait until it is copied
constexpr int kLogStep = 2048;      ///< between two attempts
constexpr int64_t kFreeKept = 256;  ///< free pages not worth giving back
constexpr int64_t kFreeMany = 16'384;
constexpr unsigned kLookEvery = 256;  ///< commits

}  // namespace

Result<void> Upkeep::shorten_log(ChangeWriter& writer, int mode) {
    auto state = checkpoint(writer.db(), mode);
    if (!state) return state.take_error();
    if (mode == SQLITE_CHECKPOINT_TRUNCATE && state->pages <= 0) writer.log_is_empty();
    return {};
}

bool Upkeep::nearly_copied(int pages) const {
    const int copied = checkpointer_.copied();
    return copied > 0 && copied <= pages && pages - copied <= kLogRest;
}

Result<void> Upkeep::after_commit(ChangeWriter& writer) {
    look_for_free_ = true;
    const int pages = writer.log_pages();
    if (pages < kLogStart) {
        wake_at_ = kLogStart;
        finish_at_ = 0;
        if (!checkpointer_.busy()) checkpointer_.forget();
    } else if (pages >= kLogMost && pages >= finish_at_) {
        finish_at_ = pages + kLogStep;
        if (auto done = shorten_log(writer, SQLITE_CHECKPOINT_RESTART); !done) return done;
    } else if (!checkpointer_.busy()) {
        if (nearly_copied(pages) && pages >= finish_at_) {
            finish_at_ = pages + kLogStep;
            if (auto done = shorten_log(writer, SQLITE_CHECKPOINT_PASSIVE); !done) return done;
        } else if (pages >= wake_at_) {
            wake_at_ = pages + kLogStep;
            checkpointer_.wake();
        }
    }
    if (++commits_ % kLookEvery != 0 && !shrinking_) return {};
    return shrink(writer, shrinking_ ? 4 : 2, shrinking_);
}

Result<void> Upkeep::idle(ChangeWriter& writer, bool& more) {
    more = false;
    if (look_for_free_) {
        bool left = false;
        if (auto done = shrink(writer, 10, left); !done) return done;
        look_for_free_ = more = left;
        if (more) return {};
    }
    const int pages = writer.log_pages();
    if (pages == 0 || checkpointer_.busy()) return {};
    if (nearly_copied(pages) || pages <= kLogRest) return shorten_log(writer, SQLITE_CHECKPOINT_TRUNCATE);
    checkpointer_.wake();
    return {};
}

Result<void> Upkeep::shrink(ChangeWriter& writer, int64_t share, bool& more) {
    more = false;
    Db& db = writer.db();
    auto free = db.number("PRAGMA freelist_count");
    if (!free) return free.take_error();
    const int64_t least = share < 10 ? kFreeMany : kFreeKept;
    if (*free <= least) return {};
    auto pages = db.number("PRAGMA page_count");
    if (!pages) return pages.take_error();
    if (*free <= *pages / share) return {};
    more = true;
    return db.run("PRAGMA incremental_vacuum(64)");
}

}  // namespace comqtt::storage
