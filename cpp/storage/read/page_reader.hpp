#pragma once
// PageReader: one session's stored state, or a page of its messages, as a Load wants it. Lives as long as its
// connection is of use; reader thread.

#include <memory>

#include "hooks/load.hpp"
#include "storage/file/statements.hpp"

namespace comqtt::storage {

class PageReader {
public:
    static Result<std::unique_ptr<PageReader>> make(Db db);

    /// Fills the load; ok, not_found, or an error of the file.
    Result<Status> answer(hooks::Load& load);

private:
    explicit PageReader(Db db);
    bool fill(hooks::Load& load, Status& status);
    bool add_client(int64_t session, hooks::Load& load);
    bool add_subscriptions(int64_t session, hooks::Load& load);
    bool add_inflight(int64_t session, hooks::Load& load);
    bool add_received(int64_t session, hooks::Load& load);
    bool add_queued(int64_t session, hooks::Load& load);

    Db db_;
    Statements statements_;
    Prepared begin_, end_, session_, client_, sums_, subscriptions_, inflight_, received_, queued_;
};

}  // namespace comqtt::storage
