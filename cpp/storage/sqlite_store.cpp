#include "storage/sqlite_store.hpp"

#include <fmt/format.h>

#include "storage/commit/backlog.hpp"
#include "storage/commit/checkpoint.hpp"
#include "storage/commit/committer.hpp"
#include "storage/file/file_kind.hpp"
#include "storage/file/file_lock.hpp"
#include "storage/file/sqlite_open.hpp"
#include "storage/read/store_loader.hpp"
#include "storage/read/store_reader.hpp"

namespace comqtt::storage {

namespace {

using hooks::EventId;
using hooks::mask_of;

constexpr auto kEndTime = std::chrono::seconds(5);  ///< for what is not committed when the end comes
constexpr int64_t kCountersMs = 10'000;             ///< between two times that counters are kept

/// One run of a store, from init to stop.
struct Running {
    Running(const StoreConfig& config, std::string file, FileLock file_lock)
        : path(std::move(file)),
          lock(std::move(file_lock)),
          backlog(config),
          checkpointer(config, path, epoch),
          committer({config, path, backlog, sessions, checkpointer, epoch}),
          reader(config, path, backlog, epoch) {}

    Result<void> start(Db db) {
        auto number = last_commit(db);
        if (!number) return number.take_error();
        int64_t message_base = 0;
        if (auto loaded = load_ids(db, sessions, message_base); !loaded) return loaded;
        if (auto started = committer.start(std::move(db), *number, message_base); !started) return started;
        checkpointer.start();
        reader.start();
        return {};
    }
    void end() {
        backlog.end(Backlog::Clock::now() + kEndTime);
        committer.join();
        reader.end();
        checkpointer.end();
        lock = {};
    }

    const std::string path;
    FileLock lock;
    std::atomic<uint64_t> epoch{0};
    SessionIds sessions;
    Backlog backlog;
    Checkpointer checkpointer;
    Committer committer;
    StoreReader reader;
};

class SqliteStore final : public hooks::Hook {
public:
    explicit SqliteStore(StoreConfig config) : config_(std::move(config)) {}
    ~SqliteStore() override { end(); }

    std::string_view id() const override { return "sqlite"; }
    hooks::EventMask events() const override;
    Result<void> init() override;
    void stop() override { end(); }

    Status store_changes(hooks::Event&, hooks::Changes& changes) override {
        return running_->backlog.add(changes);
    }
    Status load_messages(hooks::Event&, hooks::Load& load) override { return running_->reader.add(load); }
    Status load_session(hooks::Event&, hooks::Load& load) override {
        return running_->sessions.contains(load.request().client_id) ? running_->reader.add(load)
                                                                     : Status::not_found;
    }
    Status stored_clients(hooks::Event& event, hooks::StoredSink& sink) override {
        return with_file(event, [&](Db& db) { return load_clients(db, sink); });
    }
    Status stored_subscriptions(hooks::Event& event, hooks::StoredSink& sink) override {
        return with_file(event, [&](Db& db) { return load_subscriptions(db, sink); });
    }
    Status stored_retained_messages(hooks::Event& event, hooks::StoredSink& sink) override {
        return with_file(event, [&](Db& db) { return load_retained(db, sink); });
    }
    Status stored_sys_info(hooks::Event& event, MetricsSnapshot& snapshot) override {
        return with_file(event, [&](Db& db) { return load_counters(db, snapshot); });
    }
    void on_sys_info_tick(hooks::Event& event, const MetricsSnapshot& snapshot) override;

private:
    void end();
    template <typename F>
    Status with_file(hooks::Event& event, F&& read);

    const StoreConfig config_;
    std::unique_ptr<Running> running_;
    int64_t kept_ms_ = INT64_MIN / 2;  ///< when counters were kept last
};

hooks::EventMask SqliteStore::events() const {
    hooks::EventMask all = mask_of(EventId::store_changes) | mask_of(EventId::load_messages) |
                           mask_of(EventId::load_session) | mask_of(EventId::stored_clients) |
                           mask_of(EventId::stored_subscriptions) |
                           mask_of(EventId::stored_retained_messages);
    if (config_.counters) all |= mask_of(EventId::on_sys_info_tick) | mask_of(EventId::stored_sys_info);
    return all;
}

Result<void> SqliteStore::init() {
    if (config_.path.empty()) return Error{Status::invalid_argument, "the store has no path"};
    end();
    const std::string path = real_path(config_.path);
    // Before the lock, which makes a file beside it.
    if (auto kind = kind_of_store(config_.path); !kind) return kind.take_error();
    auto lock = FileLock::take(path);
    if (!lock) return lock.take_error();
    auto db = open_file(config_, path);
    if (!db) return db.take_error();

    running_ = std::make_unique<Running>(config_, path, lock.take());
    auto started = running_->start(db.take());
    if (!started) end();
    return started;
}

void SqliteStore::end() {
    if (running_) running_->end();
}

template <typename F>
Status SqliteStore::with_file(hooks::Event& event, F&& read) {
    auto db = connect(config_, running_->path, Role::reader);
    const Result<void> done = db ? read(*db) : Result<void>(db.error());
    if (done) return Status::ok;
    event.fail(done.error().message);
    return done.error().status;
}

void SqliteStore::on_sys_info_tick(hooks::Event& event, const MetricsSnapshot& snapshot) {
    if (event.time_ms() - kept_ms_ < kCountersMs) return;
    kept_ms_ = event.time_ms();
    Counters counters;
    constexpr bool kept_counter = true, kept_gauge = false;
#define COMQTT_KEEP_COUNTER(member, kind, help) \
    if constexpr (kept_##kind) counters.emplace_back(#member, snapshot.member);
    COMQTT_METRICS(COMQTT_KEEP_COUNTER)
#undef COMQTT_KEEP_COUNTER
    running_->committer.keep(std::move(counters));
}

}  // namespace

std::shared_ptr<hooks::Hook> make_sqlite_store(StoreConfig config) {
    return std::make_shared<SqliteStore>(std::move(config));
}

}  // namespace comqtt::storage
