#pragma once
// Link: what the broker knows of a connection's transport. All calls on the owning shard's thread. net/ has the
// socket ones; the simulator and the in-memory pipe bring their own.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace comqtt::broker {

struct PeerInfo {
    std::string remote;         ///< "ip:port" or the transport's own words
    std::string listener;       ///< id of the listener
    bool moved = false;         ///< handed over by another shard, which counted it
    bool connect_seen = false;  ///< handed over after on_packet_read saw its CONNECT
};

/// What a link had received.
struct Arrived {
    size_t bytes = 0;
    bool end = false;  ///< nothing more will come
};

class Link {
public:
    virtual ~Link() = default;
    /// Takes as many bytes as it can without waiting, and keeps no reference to any of them. When that is less than all, it calls Shard::on_writable
    /// later. Never calls back from inside; an error shows later as on_closed.
    virtual size_t write(const iovec* parts, int count) = 0;
    /// Bytes that write() took and the peer has not: as far as the transport knows, 0 when it does not.
    virtual size_t in_transit() const { return 0; }
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;
    /// Reads once, at most `limit` bytes of what has arrived already, also while reading is paused, and gives them to
    /// Shard::receive. Not from inside another call of this link.
    virtual Arrived read_arrived(size_t limit) = 0;
    /// Everything was written: half-close, read and discard until the peer closes or `timeout_ms` passes, close. Then
    /// on_closed. The broker no longer wants received bytes.
    virtual void finish(int64_t timeout_ms) = 0;
    /// Close at once. Then on_closed.
    virtual void abort() = 0;
    /// Hands the transport to another shard, which gets `received` as its first bytes. The connection is gone here
    /// without on_closed.
    virtual void move_to(unsigned shard, PeerInfo peer, std::vector<uint8_t> received) = 0;
};

}  // namespace comqtt::broker
