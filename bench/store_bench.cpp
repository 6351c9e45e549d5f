// comqtt_store_bench: what the SQLite store takes in, without a broker. Batches as a shard makes them: half of the
// changes queue a message, half remove one that was queued long before, so that nothing cancels out.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "hooks/hook.hpp"
#include "storage/sqlite_store.hpp"

namespace {

using namespace comqtt;
using Clock = std::chrono::steady_clock;
using hooks::Change;
using hooks::Changes;

struct Settings {
    std::string folder = "/tmp";
    unsigned sessions = 1000;
    unsigned batch = 1000;   // changes
    unsigned depth = 100;    // batches between queueing and removing
    unsigned payload = 100;  // bytes
    unsigned window = 2;     // batches handed over and not committed
    double seconds = 3;
    std::string sync = "all";
};

/// Batches under way, and how long each took.
class Window {
public:
    void wait_below(unsigned limit) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return under_way_ < limit; });
    }
    Changes::Wake begin() {
        const std::lock_guard lock(mutex_);
        ++under_way_;
        return [this, began = Clock::now()](Status status, const std::string& text, bool reported) {
            const std::lock_guard inner(mutex_);
            if (status != Status::ok) std::fprintf(stderr, "not stored: %s\n", text.c_str());
            if (reported) return;
            took_us_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
            --under_way_;
            changed_.notify_one();
        };
    }
    double percentile(double part) {
        if (took_us_.empty()) return 0;
        std::sort(took_us_.begin(), took_us_.end());
        return took_us_[static_cast<size_t>(part * static_cast<double>(took_us_.size() - 1))];
    }
    void clear() { took_us_.clear(); }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned under_way_ = 0;
    std::vector<double> took_us_;
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Bench {
public:
    Bench(Settings settings, storage::Sync sync) : settings_(std::move(settings)) {
        std::string name = settings_.folder + "/comqtt-store-bench-XXXXXX";
        if (!mkdtemp(name.data())) std::exit(1);
        folder_ = name;
        storage::StoreConfig config;
        config.path = name + "/comqtt.db";
        config.sync = sync;
        config.log = Log(
            [](LogLevel, std::string_view, std::string_view text) {
                std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
            },
            LogLevel::warn);
        store_ = storage::make_sqlite_store(config);
        if (auto started = store_->init(); !started) {
            std::fprintf(stderr, "%s\n", started.error().message.c_str());
            std::exit(1);
        }
    }
    ~Bench() {
        store_->stop();
        std::filesystem::remove_all(folder_);
    }

    void run(const char* name) {
        begin_sessions();
        for (unsigned i = 0; i < settings_.depth; ++i) post(half_batch());
        window_.wait_below(1);
        window_.clear();
        uint64_t pairs = 0, batches = 0;
        uintmax_t log = 0;
        const double cpu = cpu_seconds();
        const auto began = Clock::now();
        double took = 0;
        while ((took = std::chrono::duration<double>(Clock::now() - began).count()) < settings_.seconds) {
            post(whole_batch());
            pairs += settings_.batch / 2;
            if (++batches % 64 == 0)
                log = std::max(log, std::filesystem::file_size(folder_ + "/comqtt.db-wal"));
        }
        window_.wait_below(1);
        took = std::chrono::duration<double>(Clock::now() - began).count();
        std::printf(
            "%-7s %9.0f pairs/s  cpu %5.2f us/pair %8.0f batches/s  batch p50 %6.0f us p99 %7.0f us max "
            "%8.0f us  log %4ju "
            "MiB\n",
            name, static_cast<double>(pairs) / took, (cpu_seconds() - cpu) * 1e6 / static_cast<double>(pairs),
            static_cast<double>(batches) / took, window_.percentile(0.5), window_.percentile(0.99),
            window_.percentile(1), log >> 20);
        std::fflush(stdout);
    }

private:
    using List = std::shared_ptr<Changes::List>;
    struct Queued {
        unsigned session;
        uint64_t position;
    };

    void begin_sessions() {
        auto list = std::make_shared<Changes::List>();
        for (unsigned i = 0; i < settings_.sessions; ++i) {
            auto client = Ref<hooks::Client>::adopt(new hooks::Client);
            client->id = "client-" + std::to_string(i);
            Change& change = list->emplace_back();
            change.kind = Change::Kind::session_saved;
            change.client = client;
            change.details = std::make_unique<Change::Details>();
            change.details->client.id = client->id;
            clients_.push_back(std::move(client));
        }
        post(list);
    }
    void queue(Changes::List& list) {
        const unsigned session = static_cast<unsigned>(random_() % settings_.sessions);
        const std::string topic = "bench/topic/" + std::to_string(session);
        const std::string payload(settings_.payload, 'x');
        mqtt::MessageFields fields;
        fields.topic_name = ByteView(std::string_view(topic));
        fields.payload = ByteView(std::string_view(payload));
        fields.origin_id = ByteView(std::string_view("publisher-1"));
        fields.qos = 1;
        Change& change = list.emplace_back();
        change.kind = Change::Kind::message_queued;
        change.client = clients_[session];
        change.qos = 1;
        change.position = ++position_;
        change.message = mqtt::Message::make(fields);
        change.message_key = position_;
        queued_.push_back({session, position_});
    }
    void remove(Changes::List& list) {
        Change& change = list.emplace_back();
        change.kind = Change::Kind::message_removed;
        change.client = clients_[queued_.front().session];
        change.position = queued_.front().position;
        queued_.pop_front();
    }
    List half_batch() {
        auto list = std::make_shared<Changes::List>();
        for (unsigned i = 0; i < settings_.batch / 2; ++i) queue(*list);
        return list;
    }
    List whole_batch() {
        auto list = half_batch();
        for (unsigned i = 0; i < settings_.batch / 2; ++i) remove(*list);
        return list;
    }
    void post(const List& list) {
        window_.wait_below(settings_.window);
        const auto changes =
            Ref<Changes>::adopt(new Changes(list, list->size() * sizeof(Change), 0, window_.begin()));
        hooks::Event event(hooks::EventId::store_changes, 0);
        if (store_->store_changes(event, *changes) != Status::pending) std::exit(1);
    }
    uint64_t random_() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        return state_ ^= state_ << 17;
    }

    Settings settings_;
    std::string folder_;
    std::shared_ptr<hooks::Hook> store_;
    std::vector<Ref<hooks::Client>> clients_;
    std::deque<Queued> queued_;
    uint64_t position_ = 0;
    uint64_t state_ = 88172645463325252u;
    Window window_;
};

int usage() {
    std::fprintf(
        stderr,
        "comqtt_store_bench [--folder DIR] [--sync full|normal|off|all] [--sessions N] [--batch CHANGES]\n"
        "                   [--depth BATCHES] [--payload BYTES] [--window BATCHES] [--seconds S]\n");
    return 2;
}

}  // namespace

int main(int count, char** values) {
    Settings settings;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string flag = values[i];
        const auto number = [&] { return static_cast<unsigned>(std::strtoul(values[i + 1], nullptr, 10)); };
        if (flag == "--folder")
            settings.folder = values[i + 1];
        else if (flag == "--sync")
            settings.sync = values[i + 1];
        else if (flag == "--sessions")
            settings.sessions = number();
        else if (flag == "--batch")
            settings.batch = number();
        else if (flag == "--depth")
            settings.depth = number();
        else if (flag == "--payload")
            settings.payload = number();
        else if (flag == "--window")
            settings.window = number();
        else if (flag == "--seconds")
            settings.seconds = std::strtod(values[i + 1], nullptr);
        else
            return usage();
    }
    if (count % 2 == 0) return usage();
    const std::pair<const char*, storage::Sync> all[] = {
        {"full", storage::Sync::full}, {"normal", storage::Sync::normal}, {"off", storage::Sync::off}};
    for (const auto& [name, sync] : all)
        if (settings.sync == "all" || settings.sync == name) Bench(settings, sync).run(name);
    return 0;
}
