#pragma once
// Intrusive reference counting for objects that cross shards.

#include <atomic>
#include <cstdint>
#include <utility>

namespace comqtt {

/// Pointer to T that counts through `retain(T*)` and `release(T*)`, found by argument lookup.
template <typename T>
class Ref {
public:
    Ref() = default;
    /// Takes over one count that the caller owns.
    static Ref adopt(T* object) {
        Ref ref;
        ref.object_ = object;
        return ref;
    }
    /// Adds a count of its own.
    static Ref share(T* object) {
        if (object) retain(object);
        return adopt(object);
    }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_) retain(object_);
    }
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_) release(object_);
    }

    T* get() const { return object_; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }
    /// Gives the count away.
    T* detach() { return std::exchange(object_, nullptr); }

private:
    T* object_ = nullptr;
};

/// Base with an atomic count; T derives from RefCounted<T> and is deleted at zero.
template <typename T>
class RefCounted {
public:
    friend void retain(T* object) {
        static_cast<RefCounted*>(object)->count_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void release(T* object) {
        if (static_cast<RefCounted*>(object)->count_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete object;
    }

protected:
    RefCounted() = default;
    ~RefCounted() = default;
    RefCounted(const RefCounted&) = delete;
    RefCounted& operator=(const RefCounted&) = delete;

private:
    std::atomic<uint32_t> count_{1};
};

}  // namespace comqtt
