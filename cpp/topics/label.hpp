#pragma once
// A constant string in 16 bytes: up to 12 characters inside, a longer one on the heap.

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace comqtt::topics {

class Label {
public:
    Label() = default;
    explicit Label(std::string_view text) : size_(static_cast<uint32_t>(text.size())) {
        if (text.empty()) return;
        char* to = inline_;
        if (size_ > sizeof inline_) {
            to = new char[size_];
            std::memcpy(inline_, &to, sizeof to);
        }
        std::memcpy(to, text.data(), text.size());
    }
    Label(Label&& other) noexcept { swap(other); }
    Label& operator=(Label&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Label() {
        if (size_ > sizeof inline_) delete[] heap();
    }

    std::string_view text() const { return {size_ > sizeof inline_ ? heap() : inline_, size_}; }

private:
    char* heap() const {
        char* pointer;
        std::memcpy(&pointer, inline_, sizeof pointer);
        return pointer;
    }
    void swap(Label& other) noexcept {
        std::swap(size_, other.size_);
        std::swap(inline_, other.inline_);
    }

    uint32_t size_ = 0;
    char inline_[12] = {};
};

}  // namespace comqtt::topics
