#pragma once
// Departure: a session that has ended, with subscriptions that are still in the index; taken out in pieces.

#include <memory>

#include "broker/session.hpp"

namespace comqtt::broker {

struct Departure {
    std::unique_ptr<Session> session;
    Subscriptions::Map left;
};

}  // namespace comqtt::broker
