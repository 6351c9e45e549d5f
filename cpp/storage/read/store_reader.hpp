#pragma once
// StoreReader: the thread that answers loads, each after the commits that it has to see. Lives as long as the store
// runs.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "hooks/load.hpp"
#include "storage/commit/backlog.hpp"
#include "storage/read/page_reader.hpp"

namespace comqtt::storage {

class StoreReader {
public:
    StoreReader(const StoreConfig& config, std::string path, Backlog& backlog,
                const std::atomic<uint64_t>& epoch)
        : config_(config), path_(std::move(path)), backlog_(backlog), epoch_(epoch) {}
    ~StoreReader() { end(); }

    void start();
    /// Answers what is there, then ends.
    void end();
    /// Keeps a count of the load. Any thread.
    Status add(hooks::Load& load);

private:
    struct Waiting {
        Ref<hooks::Load> load;
        uint64_t number;  ///< of the batch it comes after
    };
    void run();
    void answer(const Waiting& waiting);
    Result<Status> read(hooks::Load& load);

    const StoreConfig& config_;
    const std::string path_;
    Backlog& backlog_;
    const std::atomic<uint64_t>& epoch_;
    Mutex mutex_;
    std::condition_variable added_;
    std::deque<Waiting> waiting_ COMQTT_GUARDED_BY(mutex_);
    bool ending_ COMQTT_GUARDED_BY(mutex_) = false;
    std::unique_ptr<PageReader> reader_;
    uint64_t reader_epoch_ = 0;
    std::thread thread_;
};

}  // namespace comqtt::storage
