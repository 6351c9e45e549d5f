#pragma once
// Clients: the connections and sessions of one shard, by number. Owns them; what ends is buried and freed at the end of
// the round, so that a reference to it holds until then. Lives as long as the shard, on its thread.

#include <memory>
#include <utility>
#include <vector>

#include "base/slots.hpp"
#include "broker/connection.hpp"
#include "broker/session.hpp"

namespace comqtt::broker {

class Clients final {
public:
    explicit Clients(unsigned shard) : shard_(shard) {}
    /// Frees all that is left. Their outputs have been cleared.
    ~Clients();
    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;

    /// Null when it has gone.
    Connection* connection(uint64_t handle) const { return connections_.find(handle); }
    /// By the number that is unique in the server; null when it is not of this shard any more.
    Session* session(uint64_t subscriber) const { return sessions_.find(subscriber & kHandle); }

    /// Give what is added its number.
    Connection& add(std::unique_ptr<Connection> connection);
    Session& add(std::unique_ptr<Session> session);

    /// The connection is found no more.
    void bury(Connection& c);
    /// The session is found no more, and the caller's, who buries it at last.
    std::unique_ptr<Session> take_out(Session& s);
    void bury(std::unique_ptr<Session> session) { dead_sessions_.push_back(std::move(session)); }
    void free_buried();

    size_t connection_count() const { return connections_.count(); }
    /// fn may bury the connection it is given.
    template <typename F>
    void each_connection(F&& fn) {
        connections_.each(std::forward<F>(fn));
    }

private:
    static constexpr uint64_t kHandle = SlotTable<Session>::kMask;
    const unsigned shard_;
    SlotTable<Connection> connections_;
    SlotTable<Session> sessions_;
    std::vector<std::unique_ptr<Connection>> graveyard_;
    std::vector<std::unique_ptr<Session>> dead_sessions_;
};

}  // namespace comqtt::broker
