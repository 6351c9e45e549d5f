#pragma once
// Upkeep: keeps the write-ahead log and the file from growing for ever, in steps short enough to lie between two
// commits. Writer thread.

#include "storage/commit/change_writer.hpp"
#include "storage/commit/checkpoint.hpp"

namespace comqtt::storage {

class Upkeep {
public:
    explicit Upkeep(Checkpointer& checkpointer) : checkpointer_(checkpointer) {}

    /// After a commit.
    Result<void> after_commit(ChangeWriter& writer);
    /// Nothing is to be committed. `more`: there is something left to do at once.
    Result<void> idle(ChangeWriter& writer, bool& more);
    /// The connection is a new one.
    void restart() { again_at_ = 0; }

private:
    static constexpr int kLogRest = 1024;  ///< the writer itself copies no more pages than these, at first

    bool nearly_copied(int pages) const;
    Result<void> tend_log(ChangeWriter& writer);
    Result<void> shorten_log(ChangeWriter& writer, int mode);
    /// Gives free pages back while there are more than one in `share` of the file. `more`: and there still are.
    Result<void> shrink(ChangeWriter& writer, int64_t share, bool& more);

    Checkpointer& checkpointer_;
    int again_at_ = 0;     ///< pages in the log from which on another attempt is worth while
    int rest_ = kLogRest;  ///< pages that the writer itself copies at most
    unsigned commits_ = 0;
    bool shrinking_ = false;
    bool look_for_free_ = true;
};

}  // namespace comqtt::storage
