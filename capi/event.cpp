// Event contexts and selections.

#include "capi/deferral_table.hpp"
#include "capi/guard.hpp"
#include "capi/views.hpp"

using namespace comqtt;
using namespace comqtt::capi;

comqtt_server* comqtt_event_server(const comqtt_event* event) {
    event = checked(event);
    return event ? &event->owner : nullptr;
}

const char* comqtt_event_name(const comqtt_event* event) {
    event = checked(event);
    return event ? hooks::event_name(event->event.id()) : nullptr;
}

int64_t comqtt_event_time_unix_ms(const comqtt_event* event) {
    event = checked(event);
    return event ? event->event.time_ms() : 0;
}

comqtt_status comqtt_event_set_reason(comqtt_event* event, comqtt_reason reason, comqtt_str reason_text) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(event)) return invalid("the event is NULL or over");
        event->event.set_reason(static_cast<mqtt::Reason>(reason), text(reason_text));
        return {};
    });
}

comqtt_status comqtt_event_set_for_all_topics(comqtt_event* event) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(event)) return invalid("the event is NULL or over");
        if (event->event.id() != hooks::EventId::on_acl_check) return outcome(Status::state);
        event->event.set_for_all_topics();
        return {};
    });
}

comqtt_status comqtt_event_fail(comqtt_event* event, comqtt_str message) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(event)) return invalid("the event is NULL or over");
        event->event.fail(text(message));
        return {};
    });
}

comqtt_deferral* comqtt_event_defer(comqtt_event* event) {
    comqtt_deferral* made = nullptr;
    guarded(nullptr, [&]() -> Result<void> {
        if (!checked(event) || event->deferred) return {};
        hooks::Deferral* token = event->event.defer();
        if (!token) return {};
        HeldDeferral held;
        held.token = Ref<hooks::Deferral>::share(token);
        held.owner = Ref<comqtt_server>::share(&event->owner);
        held.question = event->question;
        // What a question shows may be looked at only, then and later.
        if (event->question && token->packet()) token->packet()->frozen = true;
        made = DeferralTable::instance().put(std::move(held));
        event->deferred = true;
        return {};
    });
    return made;
}

size_t comqtt_selection_count(const comqtt_selection* selection) {
    selection = checked(selection);
    return selection ? selection->selection.receivers.size() : 0;
}

comqtt_status comqtt_selection_receiver(const comqtt_selection* selection, size_t index,
                                        comqtt_receiver* out_receiver) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(selection)) return invalid("the selection is NULL or over");
        const auto& receivers = selection->selection.receivers;
        if (index >= receivers.size()) return outcome(Status::not_found);
        const auto& from = receivers[index];
        const comqtt_receiver row = {
            sizeof row, to_str(from.client_id), to_str(from.filter), from.shared, from.chosen, from.qos};
        return write_record(row, out_receiver, "the receiver record");
    });
}

comqtt_status comqtt_selection_choose(comqtt_selection* selection, size_t index, bool chosen) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(selection)) return invalid("the selection is NULL or over");
        if (!selection->editable) return outcome(Status::state);
        auto& receivers = selection->selection.receivers;
        if (index >= receivers.size()) return outcome(Status::not_found);
        auto& wanted = receivers[index];
        if (chosen && wanted.shared)
            for (auto& other : receivers)
                if (other.shared && other.filter == wanted.filter) other.chosen = false;
        wanted.chosen = chosen;
        return {};
    });
}

comqtt_status comqtt_selection_add(comqtt_selection* selection, comqtt_str client_id, uint8_t qos) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(selection)) return invalid("the selection is NULL or over");
        if (!selection->editable) return outcome(Status::state);
        if (text(client_id).empty()) return invalid("the client id is empty");
        if (qos > 2) return invalid("the QoS is above 2");
        selection->selection.add(text(client_id), qos);
        return {};
    });
}
