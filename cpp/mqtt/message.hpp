#pragma once
// Message: an application message that must outlive its read batch (in flight, queued, retained, on its
// way to another shard). One allocation, immutable, reference-counted. Layout after the header:
//   topic_len (2, big endian) | topic | payload | properties | origin client id
// so that a 3.x QoS 0 body is one contiguous run.

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ref.hpp"

namespace comqtt::mqtt {

/// Where a message came from; held ready for several nodes.
struct Origin {
    uint64_t publisher = 0;  ///< SubscriberId value of the publishing session on this node, 0 = none
    uint64_t clock = 0;      ///< hybrid logical clock: wall ms << 16 | counter
    uint32_t node = 0;
};

struct MessageFields {
    ByteView topic_name;
    ByteView payload;
    ByteView properties;  ///< forwardable 5.0 properties, raw, without length prefix
    ByteView origin_id;   ///< client id of the publisher
    uint8_t qos = 0;
    bool retain = false;  ///< RETAIN flag as published
    bool has_expiry = false;
    uint32_t expiry_interval = 0;  ///< seconds, as published
    int64_t created_ms = 0;        ///< wall clock, unix ms: for stores and people
    int64_t born_ms = 0;           ///< monotonic clock: its age counts from here
    Origin origin;
};

class Message {
public:
    static Ref<Message> make(const MessageFields& fields);

    ByteView topic_name() const { return {bytes() + 2, topic_size_}; }
    /// topic length prefix and topic
    ByteView topic_wire() const { return {bytes(), size_t{topic_size_} + 2}; }
    ByteView payload() const { return {bytes() + 2 + topic_size_, payload_size_}; }
    /// topic_wire and payload in one run: the body of a 3.x QoS 0 PUBLISH
    ByteView body_v3() const { return {bytes(), 2 + size_t{topic_size_} + payload_size_}; }
    ByteView properties() const { return {bytes() + 2 + topic_size_ + payload_size_, properties_size_}; }
    ByteView origin_id() const {
        return {bytes() + 2 + topic_size_ + payload_size_ + properties_size_, origin_size_};
    }
    uint8_t qos() const { return qos_; }
    bool retain() const { return retain_; }
    bool has_expiry() const { return has_expiry_; }
    uint32_t expiry_interval() const { return expiry_interval_; }
    int64_t created_ms() const { return created_ms_; }
    int64_t born_ms() const { return born_ms_; }
    /// Monotonic clock at which the message expires; INT64_MAX = never. A correction of the wall clock changes nothing.
    int64_t due_ms() const { return has_expiry_ ? born_ms_ + int64_t{expiry_interval_} * 1000 : INT64_MAX; }
    /// The same as the wall clock would show it, for stores.
    int64_t expires_unix_ms() const {
        return has_expiry_ ? created_ms_ + int64_t{expiry_interval_} * 1000 : INT64_MAX;
    }
    const Origin& origin() const { return origin_; }
    /// A number that tells it from other messages while the server runs; given when first asked for. Any thread.
    uint64_t key(std::atomic<uint64_t>& next) const {
        uint64_t known = key_.load(std::memory_order_relaxed);
        if (known) return known;
        const uint64_t fresh = next.fetch_add(1, std::memory_order_relaxed);
        return key_.compare_exchange_strong(known, fresh, std::memory_order_relaxed) ? fresh : known;
    }
    /// It is in flight to one receiver more; true when it was to none. Any thread. The caller owns a count: when that is
    /// the only one nobody else can have it in flight, and no atomic addition is needed.
    bool enter_flight() const {
        if (count_.load(std::memory_order_acquire) != 1)
            return flights_.fetch_add(1, std::memory_order_relaxed) == 0;
        flights_.store(1, std::memory_order_relaxed);
        return true;
    }
    /// To one less; true when that was the last one.
    bool leave_flight() const {
        if (count_.load(std::memory_order_acquire) != 1)
            return flights_.fetch_sub(1, std::memory_order_relaxed) == 1;
        flights_.store(0, std::memory_order_relaxed);
        return true;
    }
    /// Bytes this message holds in memory, header included.
    size_t footprint() const {
        return sizeof(Message) + 2 + topic_size_ + payload_size_ + properties_size_ + origin_size_;
    }

    friend void retain(Message* message) { message->count_.fetch_add(1, std::memory_order_relaxed); }
    friend void release(Message* message) {
        // The only owner needs no atomic subtraction: nobody else can add to the count.
        if (message->count_.load(std::memory_order_acquire) == 1 ||
            message->count_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            destroy(message);
    }

private:
    Message() = default;
    static void destroy(Message* message);
    const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(this + 1); }

    std::atomic<uint32_t> count_{1};
    mutable std::atomic<uint32_t> flights_{0};
    uint32_t payload_size_ = 0;
    uint32_t properties_size_ = 0;
    uint32_t expiry_interval_ = 0;
    int64_t created_ms_ = 0;
    int64_t born_ms_ = 0;
    mutable std::atomic<uint64_t> key_{0};
    Origin origin_;
    uint16_t topic_size_ = 0;
    uint16_t origin_size_ = 0;
    uint8_t qos_ = 0;
    bool retain_ = false;
    bool has_expiry_ = false;
};

using MessageRef = Ref<Message>;

}  // namespace comqtt::mqtt
