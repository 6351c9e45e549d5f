#pragma once
// SmallList: a growing array whose first element lives inside, for lists that mostly hold one.

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace comqtt {

template <typename T>
class SmallList {
public:
    SmallList() = default;
    SmallList(const SmallList&) = delete;
    SmallList& operator=(const SmallList&) = delete;
    ~SmallList() { clear(); }

    T* begin() { return data(); }
    T* end() { return data() + size_; }
    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }
    T& back() { return data()[size_ - 1]; }
    /// Memory besides this object.
    size_t more_bytes() const { return more_ ? capacity_ * sizeof(T) : 0; }

    T& emplace_back() {
        if (size_ == capacity_) grow();
        return *new (data() + size_++) T();
    }
    void clear() {
        std::destroy(begin(), end());
        if (more_) std::allocator<T>().deallocate(more_, capacity_);
        more_ = nullptr;
        size_ = 0;
        capacity_ = 1;
    }

private:
    T* data() { return more_ ? more_ : std::launder(reinterpret_cast<T*>(first_)); }
    void grow() {
        const uint32_t capacity = capacity_ * 2;
        T* larger = std::allocator<T>().allocate(capacity);
        std::uninitialized_move(begin(), end(), larger);
        std::destroy(begin(), end());
        if (more_) std::allocator<T>().deallocate(more_, capacity_);
        more_ = larger;
        capacity_ = capacity;
    }

    T* more_ = nullptr;
    uint32_t size_ = 0;
    uint32_t capacity_ = 1;
    alignas(T) unsigned char first_[sizeof(T)];
};

}  // namespace comqtt
