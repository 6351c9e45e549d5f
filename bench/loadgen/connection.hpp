#pragma once

#include <cstdint>
#include <memory>

#include "bytes.hpp"

namespace comqtt::bench {

// System calls of the whole program, so that a report can show their number per message.
struct CallCounts {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
};
CallCounts& call_counts();

// Takes the bytes of one read. Returns where the first incomplete packet starts.
class Consumer {
public:
    virtual ~Consumer() = default;
    virtual const std::uint8_t* consume(const std::uint8_t* begin, const std::uint8_t* end) = 0;
};

// The one read buffer of the program; a connection keeps only a trailing partial packet.
class ReadBuffer {
public:
    explicit ReadBuffer(std::size_t largest_packet)
        : size_((256u << 10) + 2 * largest_packet), data_(new std::uint8_t[size_]) {}
    std::uint8_t* data() { return data_.get(); }
    std::size_t size() const { return size_; }

private:
    std::size_t size_;
    std::unique_ptr<std::uint8_t[]> data_;  // never touched before it is read into
};

// One TCP connection: what is not yet written, and what is not yet a packet.
class Connection {
public:
    enum class Input { drained, more, closed };

    explicit Connection(int fd) : fd_(fd) {}
    ~Connection();
    Connection(Connection&& other) noexcept;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    int fd() const { return fd_; }
    bool is_closed() const { return closed_; }
    // False while the kernel takes no more; poll reports when it does again.
    bool can_write() const { return writable_ && !closed_; }
    void on_writable();

    // One read; `more` when the kernel may hold more.
    Input receive(ReadBuffer& buffer, Consumer& consumer);

    // Writes what the kernel takes and keeps a copy of the rest.
    void send(ByteView bytes);
    // Bytes to go out with the next send() or flush().
    Bytes& pending() { return out_; }
    bool has_pending() const { return out_at_ < out_.size(); }
    void flush();

private:
    std::size_t write_some(ByteView bytes);

    int fd_;
    bool writable_ = true;
    bool closed_ = false;
    Bytes in_;
    Bytes out_;
    std::size_t out_at_ = 0;
};

}  // namespace comqtt::bench
