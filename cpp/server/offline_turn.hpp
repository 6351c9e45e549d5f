#pragma once
// OfflineTurn: who may touch the shards while none of their threads runs, before the start and after the end. A turn
// is no lock: what is called during it may call the server again, and is then told that the turn is its own.

#include <condition_variable>
#include <thread>

#include "base/mutex.hpp"

namespace comqtt::server {

class OfflineTurn {
public:
    /// Waits while another thread has the turn. Not when it is mine().
    void take() {
        Lock lock(mutex_);
        lock.wait(given_back_, [&]() COMQTT_REQUIRES(mutex_) { return owner_ == std::thread::id(); });
        owner_ = std::this_thread::get_id();
    }
    bool try_take() {
        const Lock lock(mutex_);
        if (owner_ != std::thread::id()) return false;
        owner_ = std::this_thread::get_id();
        return true;
    }
    void give_back() {
        const Lock lock(mutex_);
        owner_ = {};
        given_back_.notify_one();
    }
    /// A turn for as long as it lives.
    class Taken {
    public:
        explicit Taken(OfflineTurn& of) : of_(of) { of_.take(); }
        ~Taken() { of_.give_back(); }
        Taken(const Taken&) = delete;
        Taken& operator=(const Taken&) = delete;

    private:
        OfflineTurn& of_;
    };
    bool mine() const {
        const Lock lock(mutex_);
        return owner_ == std::this_thread::get_id();
    }

private:
    mutable Mutex mutex_;
    std::condition_variable given_back_;
    std::thread::id owner_ COMQTT_GUARDED_BY(mutex_);
};

}  // namespace comqtt::server
