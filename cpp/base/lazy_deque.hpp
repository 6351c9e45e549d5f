#pragma once
// LazyDeque: a std::deque that takes no memory before there is something in it. An empty std::deque holds half a kilobyte,
// which 100,000 of them have to get and to touch.

#include <deque>
#include <memory>
#include <utility>

namespace comqtt {

template <typename T>
class LazyDeque {
public:
    using Items = std::deque<T>;

    bool empty() const { return !items_ || items_->empty(); }
    size_t size() const { return items_ ? items_->size() : 0; }
    auto begin() { return items_ ? items_->begin() : typename Items::iterator{}; }
    auto end() { return items_ ? items_->end() : typename Items::iterator{}; }
    void push_back(T item) {
        if (!items_) items_ = std::make_unique<Items>();
        items_->push_back(std::move(item));
    }

    // --- where there is something
    T& front() { return items_->front(); }
    T& back() { return items_->back(); }
    void pop_front() { items_->pop_front(); }
    void pop_back() { items_->pop_back(); }

    template <typename F>
    void erase_if(F&& unwanted) {
        if (items_) std::erase_if(*items_, std::forward<F>(unwanted));
    }
    /// Gives the memory back.
    void clear() { items_.reset(); }

private:
    std::unique_ptr<Items> items_;
};

}  // namespace comqtt
