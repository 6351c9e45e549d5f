#include "storage/commit/upkeep.hpp"

#include <algorithm>

namespace comqtt::storage {

namespace {

constexpr int kLogStart = 8192;     ///< pages of 4 KiB: 32 MiB, copied from here on
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

/// Little enough is left for the writer to copy it between two commits.
bool Upkeep::nearly_copied(int pages) const {
    const int copied = checkpointer_.copied();
    return copied > 0 && copied <= pages && pages - copied <= rest_;
}

Result<void> Upkeep::tend_log(ChangeWriter& writer) {
    const int pages = writer.log_pages();
    if (pages < kLogStart) {
        again_at_ = 0;
        rest_ = kLogRest;
        if (!checkpointer_.busy()) checkpointer_.forget();
        return {};
    }
    if (pages < again_at_ || (checkpointer_.busy() && pages < kLogMost)) return {};
    if (nearly_copied(pages) || pages >= kLogMost) {
        checkpointer_.await();
        // If a reader is in the way the log goes on growing until another attempt.
        again_at_ = pages + kLogStep;
        return shorten_log(writer, SQLITE_CHECKPOINT_PASSIVE);
    }
    // Commits may be as fast as the copying: the writer then does more of it each time.
    if (checkpointer_.copied()) rest_ *= 2;
    checkpointer_.wake();
    return {};
}

Result<void> Upkeep::after_commit(ChangeWriter& writer) {
    look_for_free_ = true;
    if (auto done = tend_log(writer); !done) return done;
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
