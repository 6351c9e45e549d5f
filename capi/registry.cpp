// The clients of a server: look-up, lists, block list.

#include <algorithm>

#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

comqtt_status comqtt_server_client(comqtt_server* server, comqtt_str id, comqtt_client** out_client) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!out_client) return invalid("out_client is NULL");
        auto client = entry->client(text(id));
        if (!client) return outcome(Status::not_found);
        *out_client = wrap(*client.detach(), entry.core());
        return {};
    });
}

comqtt_status comqtt_server_each_client(comqtt_server* server, comqtt_client_fn fn, void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!fn) return invalid("the function is NULL");
        const auto all = entry->clients();
        const auto core = entry.release_now();
        const CallbackScope scope;
        for (const auto& client : all)
            if (!fn(user, wrap(*client, *core))) break;
        return {};
    });
}

size_t comqtt_server_client_count(const comqtt_server* server, bool connected_only) {
    return guarded_or(size_t{0}, [&]() -> size_t {
        Entry entry(server);
        if (!entry) return 0;
        const auto all = entry->clients();
        if (!connected_only) return all.size();
        return static_cast<size_t>(std::count_if(
            all.begin(), all.end(), [](const auto& client) { return client->connected.load(); }));
    });
}

comqtt_status comqtt_server_block_client(comqtt_server* server, comqtt_str id) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (text(id).empty()) return invalid("the client id is empty");
        return outcome(entry->block_client(text(id)));
    });
}

comqtt_status comqtt_server_unblock_client(comqtt_server* server, comqtt_str id) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return outcome(entry->unblock_client(text(id)));
    });
}

comqtt_status comqtt_server_each_blocked(const comqtt_server* server, comqtt_str_fn fn, void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        if (!fn) return invalid("the function is NULL");
        const auto all = entry->blocked_clients();
        const auto core = entry.release_now();
        const CallbackScope scope;
        for (const auto& id : all)
            if (!fn(user, to_str(id))) break;
        return {};
    });
}
