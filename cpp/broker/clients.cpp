#include "broker/clients.hpp"

namespace comqtt::broker {

Clients::~Clients() {
    connections_.each([](Connection& c) { delete &c; });
    sessions_.each([](Session& s) { delete &s; });
}

Connection& Clients::add(std::unique_ptr<Connection> connection) {
    Connection& c = *connection;
    c.handle = connections_.add(&c);
    connection.release();
    return c;
}

Session& Clients::add(std::unique_ptr<Session> session) {
    Session& s = *session;
    s.id.value = (uint64_t{shard_} << 56) | sessions_.add(&s);
    session.release();
    return s;
}

void Clients::bury(Connection& c) {
    graveyard_.emplace_back();
    connections_.remove(c.handle);  // should this fail, the connection is not freed: others refer to it still
    graveyard_.back().reset(&c);
}

std::unique_ptr<Session> Clients::take_out(Session& s) {
    sessions_.remove(s.id.value & kHandle);
    return std::unique_ptr<Session>(&s);
}

void Clients::free_buried() {
    graveyard_.clear();
    dead_sessions_.clear();
}

}  // namespace comqtt::broker
