// Adding and removing hooks, those of the application and the built-in ones.

#include "auth/allow_all.hpp"
#include "auth/allow_loopback.hpp"
#include "capi/guard.hpp"
#include "capi/hook_table.hpp"
#include "capi/views.hpp"
#include "hooks/debug_hook.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

Result<void> add(Entry& entry, std::shared_ptr<hooks::Hook> hook, uint64_t* out_hook) {
    auto number = entry->add_hook(std::move(hook));
    if (!number) return number.take_error();
    if (out_hook) *out_hook = *number;
    return {};
}

}  // namespace

comqtt_status comqtt_server_add_hook(comqtt_server* server, const comqtt_hooks* table, void* user,
                                     comqtt_drop_fn drop, uint64_t* out_hook, comqtt_error** out_error) {
    Drop owned(user, drop);
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        comqtt_hooks copy;
        if (auto fine = read_record(table, COMQTT_HOOKS_SIZE_1_0, copy, "the hook table"); !fine) return fine;
        if (copy.flags != 0) return Error{Status::unsupported, "the hook table has unknown flags"};
        auto hook =
            std::make_shared<TableHook>(copy, std::move(owned), Ref<comqtt_server>::share(&entry.core()));
        return add(entry, std::move(hook), out_hook);
    });
}

comqtt_status comqtt_server_remove_hook(comqtt_server* server, uint64_t hook) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return outcome(entry->remove_hook(hook));
    });
}

comqtt_status comqtt_server_clear_acl_cache(comqtt_server* server) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        entry->clear_acl_cache();
        return {};
    });
}

comqtt_status comqtt_server_add_allow_all(comqtt_server* server, uint64_t* out_hook,
                                          comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        return add(entry, std::make_shared<auth::AllowAll>(), out_hook);
    });
}

comqtt_status comqtt_server_add_allow_loopback(comqtt_server* server, uint64_t* out_hook,
                                               comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        const server::Server* broker = entry.core().server.get();
        auto is_local = [broker](std::string_view listener) {
            const auto info = broker->listener(listener);
            return info && (info->protocol == "unix" || info->protocol == "pipe");
        };
        return add(entry, std::make_shared<auth::AllowLoopback>(std::move(is_local)), out_hook);
    });
}

comqtt_status comqtt_server_add_debug_hook(comqtt_server* server, const comqtt_debug_config* config,
                                           uint64_t* out_hook, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        comqtt_debug_config record{};
        if (config)
            if (auto fine = read_record(config, sizeof record, record, "the debug hook's settings"); !fine)
                return fine;
        const server::Options& options = entry->options();
        return add(entry,
                   std::make_shared<hooks::DebugHook>(
                       Log(options.log, options.log_level),
                       hooks::DebugConfig{record.show_packet_data, record.show_pings, record.show_passwords}),
                   out_hook);
    });
}
