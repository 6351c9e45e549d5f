// Metrics.

#include "capi/observe.hpp"

#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

// The values that only a snapshot has, in the order of comqtt_metrics. X(member, help)
#define COMQTT_SERVER_VALUES(X)                         \
    X(time_s, "Time of the snapshot, unix seconds")     \
    X(started_s, "Start of the server, unix seconds")   \
    X(uptime_s, "Seconds since the server started")     \
    X(memory_alloc, "Bytes in use by the process heap") \
    X(threads, "Threads of the server")

namespace {

struct Member {
    const char* name;
    comqtt_metric_kind kind;
    const char* help;
    size_t offset;
};

constexpr comqtt_metric_kind counter = COMQTT_METRIC_COUNTER;
constexpr comqtt_metric_kind gauge = COMQTT_METRIC_GAUGE;
#define COMQTT_MEMBER(member, kind, help) {#member, kind, help, offsetof(comqtt_metrics, member)},
#define COMQTT_SERVER_MEMBER(member, help) COMQTT_MEMBER(member, gauge, help)
constexpr Member kMembers[] = {COMQTT_SERVER_VALUES(COMQTT_SERVER_MEMBER) COMQTT_METRICS(COMQTT_MEMBER)};
#undef COMQTT_SERVER_MEMBER
#undef COMQTT_MEMBER

/// The C record has the same members in the same order, and no others.
constexpr bool in_step() {
    size_t expected = sizeof(size_t);
    for (const Member& member : kMembers) {
        if (member.offset != expected) return false;
        expected += sizeof(int64_t);
    }
    return expected == sizeof(comqtt_metrics);
}
static_assert(in_step(), "comqtt_metrics (observe.h) differs from COMQTT_METRICS (base/metrics.hpp)");

}  // namespace

comqtt_metrics capi::to_record(const MetricsSnapshot& snapshot) {
    comqtt_metrics record{};
    record.struct_size = sizeof record;
#define COMQTT_COPY(member, ...) record.member = snapshot.member;
    COMQTT_SERVER_VALUES(COMQTT_COPY)
    COMQTT_METRICS(COMQTT_COPY)
#undef COMQTT_COPY
    return record;
}

MetricsSnapshot capi::to_snapshot(const comqtt_metrics& record) {
    MetricsSnapshot snapshot;
#define COMQTT_COPY(member, ...) snapshot.member = record.member;
    COMQTT_SERVER_VALUES(COMQTT_COPY)
    COMQTT_METRICS(COMQTT_COPY)
#undef COMQTT_COPY
    return snapshot;
}

comqtt_status comqtt_server_metrics(const comqtt_server* server, comqtt_metrics* out_metrics) {
    return guarded(nullptr, [&]() -> Result<void> {
        Entry entry(server);
        if (!entry) return entry.error();
        comqtt_metrics record = to_record(entry->metrics());
        record.deferrals_misused += static_cast<int64_t>(entry.core().deferrals_misused->load());
        return write_record(record, out_metrics, "the metrics record");
    });
}

comqtt_status comqtt_metrics_each(const comqtt_metrics* metrics, comqtt_metric_fn fn, void* user) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!metrics || !fn) return invalid("a parameter is NULL");
        const auto* raw = reinterpret_cast<const unsigned char*>(metrics);
        for (const Member& member : kMembers) {
            if (member.offset + sizeof(int64_t) > metrics->struct_size) break;
            int64_t value;
            std::memcpy(&value, raw + member.offset, sizeof value);
            if (!fn(user, member.name, member.kind, member.help, value)) break;
        }
        return {};
    });
}
