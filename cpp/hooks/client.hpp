#pragma once
// Client: what hooks and API users see of one connection (or inline client, or stored session). Identity never
// changes after CONNECT was read; the rest are atomics that the owning shard writes and any thread may read.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/ref.hpp"
#include "hooks/handle.hpp"
#include "mqtt/packet.hpp"

namespace comqtt::hooks {

class Client : public RefCounted<Client> {
public:
    ~Client();

    HandleTag<0x434D5143> tag;  ///< "CMQC"
    HostRef host;               ///< set by the C interface when it first shows the client

    // Set by the owning shard before the first event that shows the client.
    std::string id;
    std::string username;
    std::string remote;    ///< "ip:port", "[v6]:port", or what the transport calls its peer
    std::string listener;  ///< id of the listener
    mqtt::Version version = mqtt::Version::v5;
    bool clean_start = true;
    bool is_inline = false;
    std::unique_ptr<const mqtt::Will> will;  ///< as the client sent it; null = none
    int64_t connected_at_ms = 0;             ///< wall clock, unix ms
    std::atomic<uint64_t> session{0};        ///< SubscriberId value; 0 before the session exists
    uint64_t connection = 0;                 ///< number of the connection, unique in the server

    std::atomic<uint16_t> keep_alive{0};  ///< seconds; a hook may change it in on_connect
    std::atomic<bool> keep_alive_changed{false};
    std::atomic<bool> connected{false};
    std::atomic<int64_t> disconnected_at_ms{0};
    std::atomic<uint32_t> session_expiry_s{0};
    std::atomic<uint64_t> bytes_in{0};
    std::atomic<uint64_t> bytes_out{0};
    std::atomic<uint32_t> inflight{0};
    std::atomic<uint32_t> queued{0};

    /// One pointer of the application's; the previous one is dropped.
    void set_user_data(void* data, void (*drop)(void*));
    void* user_data() const;

private:
    void* user_data_ = nullptr;
    void (*user_drop_)(void*) = nullptr;
};

}  // namespace comqtt::hooks
