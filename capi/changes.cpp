// Batches of changes: reading, keeping, completing.

#include "capi/changes.hpp"

using namespace comqtt;
using namespace comqtt::capi;

size_t comqtt_changes_count(const comqtt_changes* changes) {
    changes = checked(changes);
    return changes ? changes->core->all().size() : 0;
}

comqtt_status comqtt_changes_at(const comqtt_changes* changes, size_t index, comqtt_change* out_change) {
    return guarded(nullptr, [&]() -> Result<void> {
        auto* batch = checked(const_cast<comqtt_changes*>(changes));
        if (!batch) return invalid("the batch is NULL or not a batch");
        auto view = batch->views.at(batch->core->all(), index);
        if (!view) return view.take_error();
        return write_record(*view, out_change, "the change record");
    });
}

unsigned comqtt_changes_thread(const comqtt_changes* changes) {
    changes = checked(changes);
    return changes ? changes->core->shard() : 0;
}

comqtt_changes* comqtt_changes_retain(comqtt_changes* changes) {
    if (checked(changes)) retain(changes);
    return changes;
}

void comqtt_changes_release(comqtt_changes* changes) {
    if (checked(changes)) release(changes);
}

comqtt_status comqtt_changes_complete(comqtt_changes* changes, comqtt_status status, comqtt_str text) {
    return complete(changes, status, text);
}

comqtt_status comqtt_changes_report(comqtt_changes* changes, comqtt_status status, comqtt_str text) {
    return while_waiting(changes, nullptr, [&](hooks::Changes& batch) -> Result<void> {
        if (!is_outcome(status) || status == COMQTT_OK) return invalid("there is no such error");
        return outcome(batch.report(static_cast<Status>(status), std::string(capi::text(text))));
    });
}
