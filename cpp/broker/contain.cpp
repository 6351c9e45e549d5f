// What is left of a piece of work that threw.

#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::receive(Connection& c, ByteView bytes) {
    contain(&c, [&] { take_received(c, bytes); });
}

void Shard::work_failed(Connection* c, const char* what) noexcept {
    here_.metrics().memory_failures.add();
    try {
        uint64_t held_back = 0;
        if (here_.core().log.enabled(LogLevel::error) && limited_.failures.allow(here_.now_ms(), held_back))
            here_.core().log.write(LogLevel::error, "broker", "{} ({}): given up: {}",
                                   c && c->client ? c->client->remote : "a task",
                                   c && c->client ? c->client->id : "", what);
    } catch (...) {  // no memory to say it
    }
    try {
        if (c && c->link) c->link->abort();
    } catch (...) {  // its transport or a deadline ends it
    }
}

}  // namespace comqtt::broker
