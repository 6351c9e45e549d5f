#pragma once
// ReadBuffer: the memory that one thread reads into, again and again. Between two readings nobody may look at it: under
// AddressSanitizer that is an error at once, in other builds without NDEBUG what was read is overwritten.

#include <cassert>
#include <memory>

#include "base/spoil.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define COMQTT_ASAN_BUFFERS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define COMQTT_ASAN_BUFFERS 1
#endif
#endif

namespace comqtt {

class ReadBuffer {
public:
    explicit ReadBuffer(size_t size) : bytes_(new uint8_t[size]), size_(size) { close(0); }
    ~ReadBuffer() { open(); }
    ReadBuffer(const ReadBuffer&) = delete;
    ReadBuffer& operator=(const ReadBuffer&) = delete;

    size_t size() const { return size_; }

    /// The time in which its bytes may be looked at. One at a time.
    class Use {
    public:
        explicit Use(ReadBuffer& buffer) : buffer_(buffer) {
            assert(!buffer.used_);
            buffer.used_ = true;
            buffer.open();
        }
        ~Use() {
            buffer_.close(read_);
            buffer_.used_ = false;
        }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        uint8_t* data() { return buffer_.bytes_.get(); }
        /// How much was read into it.
        void set_read(size_t count) { read_ = count; }

    private:
        ReadBuffer& buffer_;
        size_t read_ = 0;
    };
    bool used() const { return used_; }

private:
    void open() {
#ifdef COMQTT_ASAN_BUFFERS
        ASAN_UNPOISON_MEMORY_REGION(bytes_.get(), size_);
#endif
    }
    void close(size_t read) {
        spoil(bytes_.get(), read);
#ifdef COMQTT_ASAN_BUFFERS
        ASAN_POISON_MEMORY_REGION(bytes_.get(), size_);
#endif
    }

    std::unique_ptr<uint8_t[]> bytes_;
    size_t size_;
    bool used_ = false;
};

}  // namespace comqtt
