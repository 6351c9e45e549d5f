#pragma once
// Mutex, SharedMutex and their locks: those of the standard library, with the annotations from which clang's thread
// safety analysis tells at compile time that a member is used without its lock (`make lint`). Other compilers see none.

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <utility>

#if defined(__clang__)
#define COMQTT_THREADS(attribute) __attribute__((attribute))
#else
#define COMQTT_THREADS(attribute)
#endif

/// Behind a member: it is read and written with this lock held only.
#define COMQTT_GUARDED_BY(lock) COMQTT_THREADS(guarded_by(lock))
/// Behind a function or a lambda's parameters: whoever calls it holds the lock.
#define COMQTT_REQUIRES(...) COMQTT_THREADS(requires_capability(__VA_ARGS__))
/// Behind a function: whoever calls it does not hold the lock.
#define COMQTT_EXCLUDES(...) COMQTT_THREADS(locks_excluded(__VA_ARGS__))

namespace comqtt {

class COMQTT_THREADS(capability("mutex")) Mutex {
public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

private:
    friend class Lock;
    std::mutex mutex_;
};

/// Holds the mutex as long as it lives, but while it waits.
class COMQTT_THREADS(scoped_lockable) Lock {
public:
    explicit Lock(Mutex& mutex) COMQTT_THREADS(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
    ~Lock() COMQTT_THREADS(release_capability()) {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    void unlock() COMQTT_THREADS(release_capability()) { lock_.unlock(); }
    void lock() COMQTT_THREADS(acquire_capability()) { lock_.lock(); }

    void wait(std::condition_variable& until) { until.wait(lock_); }
    /// Until holds() does; it is called with the mutex held.
    template <typename F>
    void wait(std::condition_variable& until, F&& holds) COMQTT_THREADS(no_thread_safety_analysis) {
        until.wait(lock_, std::forward<F>(holds));
    }
    template <typename Time>
    void wait_until(std::condition_variable& until, Time time) {
        until.wait_until(lock_, time);
    }
    /// False when it does not at that time.
    template <typename Time, typename F>
    bool wait_until(std::condition_variable& until, Time time, F&& holds)
        COMQTT_THREADS(no_thread_safety_analysis) {
        return until.wait_until(lock_, time, std::forward<F>(holds));
    }
    template <typename Duration, typename F>
    bool wait_for(std::condition_variable& until, Duration time, F&& holds)
        COMQTT_THREADS(no_thread_safety_analysis) {
        return until.wait_for(lock_, time, std::forward<F>(holds));
    }

private:
    std::unique_lock<std::mutex> lock_;
};

class COMQTT_THREADS(capability("mutex")) SharedMutex {
public:
    SharedMutex() = default;
    SharedMutex(const SharedMutex&) = delete;
    SharedMutex& operator=(const SharedMutex&) = delete;

private:
    friend class ReadLock;
    friend class WriteLock;
    std::shared_mutex mutex_;
};

class COMQTT_THREADS(scoped_lockable) ReadLock {
public:
    explicit ReadLock(SharedMutex& mutex) COMQTT_THREADS(acquire_shared_capability(mutex))
        : lock_(mutex.mutex_) {}
    ~ReadLock() COMQTT_THREADS(release_capability()) {}

private:
    std::shared_lock<std::shared_mutex> lock_;
};

class COMQTT_THREADS(scoped_lockable) WriteLock {
public:
    explicit WriteLock(SharedMutex& mutex) COMQTT_THREADS(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
    ~WriteLock() COMQTT_THREADS(release_capability()) {}

private:
    std::unique_lock<std::shared_mutex> lock_;
};

}  // namespace comqtt
