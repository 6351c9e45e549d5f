#pragma once
// What the tests of the store share: a folder of their own, batches and what becomes of them, records that come back,
// and a second look into the file.

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hooks/hook.hpp"
#include "storage/sqlite_store.hpp"

namespace comqtt::storage::test {

using hooks::Change;
using hooks::Changes;
using Kind = hooks::Change::Kind;
using State = hooks::StoredMessage::State;

inline constexpr auto kLong = std::chrono::seconds(60);  ///< never reached in a test that passes

/// A folder that goes with its owner.
class TempDir {
public:
    TempDir() {
        std::string name = (std::filesystem::temp_directory_path() / "comqtt-store-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string file(const std::string& name) const { return (path_ / name).string(); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Lines that were logged.
class Lines {
public:
    Log log() {
        return Log(
            [this](LogLevel level, std::string_view, std::string_view text) {
                const std::lock_guard lock(mutex_);
                lines_.emplace_back(level, text);
            },
            LogLevel::debug);
    }
    size_t count(LogLevel level, std::string_view part) const {
        const std::lock_guard lock(mutex_);
        size_t found = 0;
        for (const auto& [its, text] : lines_) found += its == level && text.find(part) != std::string::npos;
        return found;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::pair<LogLevel, std::string>> lines_;
};

/// What the store answered to batches, by the numbers the test gave them.
class Answers {
public:
    struct Answer {
        int batch;
        Status status;
        std::string text;
        bool reported;
    };
    Changes::Wake wake(int batch) {
        return [this, batch](Status status, const std::string& text, bool reported) {
            const std::lock_guard lock(mutex_);
            all_.push_back({batch, status, text, reported});
            changed_.notify_all();
        };
    }
    /// The batch's end; `timeout` when it does not come.
    Status wait(int batch) {
        std::unique_lock lock(mutex_);
        const Answer* found = nullptr;
        changed_.wait_for(lock, kLong, [&] { return (found = find(batch, false)) != nullptr; });
        return found ? found->status : Status::timeout;
    }
    /// The first report of any batch.
    Answer wait_report() {
        std::unique_lock lock(mutex_);
        const Answer* found = nullptr;
        changed_.wait_for(lock, kLong, [&] { return (found = find(-1, true)) != nullptr; });
        return found ? *found : Answer{-1, Status::timeout, "no report", true};
    }
    bool ended(int batch) const {
        const std::lock_guard lock(mutex_);
        return find(batch, false) != nullptr;
    }
    /// Batches in the order in which they ended.
    std::vector<int> order() const {
        const std::lock_guard lock(mutex_);
        std::vector<int> batches;
        for (const Answer& one : all_)
            if (!one.reported) batches.push_back(one.batch);
        return batches;
    }
    size_t reports() const {
        const std::lock_guard lock(mutex_);
        size_t count = 0;
        for (const Answer& one : all_) count += one.reported;
        return count;
    }

private:
    const Answer* find(int batch, bool reported) const {
        for (const Answer& one : all_)
            if (one.reported == reported && (batch < 0 || one.batch == batch)) return &one;
        return nullptr;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Answer> all_;
};

/// Records as a store hands them over.
struct Records final : hooks::StoredSink {
    Result<void> add(hooks::StoredClient record) override {
        clients.push_back(std::move(record));
        return {};
    }
    Result<void> add(hooks::StoredSubscription record) override {
        subscriptions.push_back(std::move(record));
        return {};
    }
    Result<void> add(hooks::StoredMessage record) override {
        messages.push_back(std::move(record));
        return {};
    }
    Result<void> add_blocked(std::string client_id) override {
        blocked.push_back(std::move(client_id));
        return {};
    }

    std::vector<hooks::StoredClient> clients;
    std::vector<hooks::StoredSubscription> subscriptions;
    std::vector<hooks::StoredMessage> messages;
    std::vector<std::string> blocked;
};

inline Ref<hooks::Client> client_of(const std::string& id) {
    auto client = Ref<hooks::Client>::adopt(new hooks::Client);
    client->id = id;
    return client;
}

inline mqtt::MessageRef message_of(std::string_view topic, std::string_view payload,
                                   int64_t created_ms = 1000) {
    mqtt::MessageFields fields;
    fields.topic_name = ByteView(topic);
    fields.payload = ByteView(payload);
    fields.origin_id = ByteView(std::string_view("publisher"));
    fields.qos = 1;
    fields.created_ms = created_ms;
    return mqtt::Message::make(fields);
}

/// A batch as a shard collects it.
class Batch {
public:
    Change& add(Kind kind, const Ref<hooks::Client>& client = {}) {
        Change& change = list_->emplace_back();
        change.kind = kind;
        change.client = client;
        return change;
    }
    Change& with_details(Kind kind, const Ref<hooks::Client>& client = {}) {
        Change& change = add(kind, client);
        change.details = std::make_unique<Change::Details>();
        return change;
    }
    Batch& text(Kind kind, const Ref<hooks::Client>& client, std::string text) {
        with_details(kind, client).details->text = std::move(text);
        return *this;
    }
    Batch& save(const Ref<hooks::Client>& client) {
        with_details(Kind::session_saved, client).details->client.id = client->id;
        return *this;
    }
    Batch& subscribe(const Ref<hooks::Client>& client, const std::string& filter) {
        hooks::StoredSubscription& record =
            with_details(Kind::subscription_saved, client).details->subscription;
        record.client_id = client->id;
        record.entry.filter = filter;
        return *this;
    }
    Change& queue(const Ref<hooks::Client>& client, uint64_t position, const mqtt::MessageRef& message,
                  mqtt::PacketId packet_id = 0) {
        static std::atomic<uint64_t> next_key{1};
        Change& change = add(Kind::message_queued, client);
        change.qos = 1;
        change.position = position;
        change.packet_id = packet_id;
        change.message_key = message->key(next_key);
        change.message = message;
        footprint_ += message->footprint();
        return change;
    }
    Batch& at(Kind kind, const Ref<hooks::Client>& client, uint64_t position, mqtt::PacketId packet_id = 0) {
        Change& change = add(kind, client);
        change.position = position;
        change.packet_id = packet_id;
        return *this;
    }
    Batch& received(Kind kind, const Ref<hooks::Client>& client, mqtt::PacketId packet_id) {
        add(kind, client).packet_id = packet_id;
        return *this;
    }
    std::shared_ptr<const Changes::List> list() const { return list_; }
    size_t footprint() const { return footprint_ + list_->size() * sizeof(Change); }

private:
    std::shared_ptr<Changes::List> list_ = std::make_shared<Changes::List>();
    size_t footprint_ = 0;
};

/// A store on a file; stopped at the end.
class Stage {
public:
    explicit Stage(const TempDir& dir, StoreConfig config = {}) : config_(std::move(config)) {
        config_.path = dir.file("comqtt.db");
        config_.log = lines.log();
        config_.retry_ms = 5;
    }
    ~Stage() { stop(); }

    Result<void> init() {
        hook = make_sqlite_store(config_);
        return hook->init();
    }
    void start() {
        const auto started = init();
        REQUIRE_MESSAGE(started, started.error().message);
    }
    void stop() {
        if (hook) hook->stop();
        hook.reset();
    }
    void restart() {
        stop();
        start();
    }

    /// Hands a batch over and gives its number.
    int post(const Batch& batch, unsigned shard = 0) {
        const int number = next_batch_++;
        const auto changes =
            Ref<Changes>::adopt(new Changes(batch.list(), batch.footprint(), shard, answers.wake(number)));
        hooks::Event event(hooks::EventId::store_changes, 0);
        last_answer = hook->store_changes(event, *changes);
        if (last_answer != Status::pending && last_answer != Status::ok) (void)changes->complete(last_answer);
        return number;
    }
    void commit(const Batch& batch) { REQUIRE(answers.wait(post(batch)) == Status::ok); }

    Records clients() { return stored(hooks::EventId::stored_clients, &hooks::Hook::stored_clients); }
    Records subscriptions() {
        return stored(hooks::EventId::stored_subscriptions, &hooks::Hook::stored_subscriptions);
    }
    Records retained() {
        return stored(hooks::EventId::stored_retained_messages, &hooks::Hook::stored_retained_messages);
    }
    /// The answer to a load, waited for. Fields of `request` that are 0 become large.
    Ref<hooks::Load> load(hooks::Load::Request request) {
        std::mutex mutex;
        std::condition_variable came;
        bool done = false;
        if (!request.max_messages) request.max_messages = UINT32_MAX;
        if (!request.max_bytes) request.max_bytes = UINT64_MAX;
        auto load = Ref<hooks::Load>::adopt(new hooks::Load(request, [&] {
            const std::lock_guard lock(mutex);
            done = true;
            came.notify_all();
        }));
        hooks::Event event(hooks::EventId::load_messages, 0);
        const Status status =
            request.session ? hook->load_session(event, *load) : hook->load_messages(event, *load);
        if (status != Status::pending) {
            (void)load->complete(status);
            return load;
        }
        std::unique_lock lock(mutex);
        REQUIRE(came.wait_for(lock, kLong, [&] { return done; }));
        return load;
    }
    Ref<hooks::Load> page(const std::string& client_id, uint64_t after = 0, uint32_t messages = 0,
                          uint64_t bytes = 0) {
        return load({client_id, false, after, messages, bytes, 0});
    }

    /// What an SQL query on the file answers, beside the running store.
    int64_t number(const std::string& sql) const {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open_v2(config_.path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
        sqlite3_busy_timeout(db, 10'000);
        int64_t value = -1;
        const int code = sqlite3_exec(
            db, sql.c_str(),
            [](void* out, int, char** values, char**) {
                *static_cast<int64_t*>(out) = values[0] ? strtoll(values[0], nullptr, 10) : 0;
                return 0;
            },
            &value, nullptr);
        CHECK_MESSAGE(code == SQLITE_OK, sqlite3_errmsg(db));
        sqlite3_close(db);
        return value;
    }
    int64_t rows(const std::string& table) const { return number("SELECT count(*) FROM " + table); }
    int64_t transactions() const { return number("SELECT value FROM state WHERE name='commits'"); }
    const std::string& path() const { return config_.path; }
    StoreConfig& config() { return config_; }

    Lines lines;
    Answers answers;
    std::shared_ptr<hooks::Hook> hook;
    Status last_answer = Status::ok;

private:
    Records stored(hooks::EventId id, Status (hooks::Hook::*what)(hooks::Event&, hooks::StoredSink&)) {
        Records records;
        hooks::Event event(id, 0);
        CHECK(((*hook).*what)(event, records) == Status::ok);
        CHECK_MESSAGE(!event.failed(), event.failure());
        return records;
    }

    StoreConfig config_;
    int next_batch_ = 0;
};

}  // namespace comqtt::storage::test
