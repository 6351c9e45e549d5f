#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "options.hpp"
#include "wire.hpp"

namespace comqtt::bench {

struct Opened {
    Connection connection;
    std::uint16_t receive_maximum;  // of the broker
};

// Connects one client; its CONNACK is still to come.
Connection begin_client(const Options& options, std::string_view client_id, Session session);

// Connects one client and waits for its CONNACK. Throws when refused.
Opened open_client(const Options& options, std::string_view client_id, Session session = Session::clean);

// DISCONNECT: the end of a connection, and of a session that is not kept.
void disconnect(Connection& connection);

// Ends a kept session, if there is one, by connecting without.
void forget_session(const Options& options, std::string_view client_id);

// Subscribes, some hundred filters per packet, and waits for every SUBACK.
void subscribe(Connection& connection, const Options& options, const std::vector<std::string>& filters);

// PINGREQ and wait for PINGRESP: all that was sent before has been read by the broker.
void ping(Connection& connection, double timeout_seconds);

// Writes everything, waiting for the kernel where needed. For set-up, not for measuring.
void write_all(Connection& connection, ByteView bytes, double timeout_seconds);

}  // namespace comqtt::bench
