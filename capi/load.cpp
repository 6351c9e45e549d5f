// Requests for stored records: what is wanted, filling them, completing them.

#include "capi/load.hpp"

#include "capi/records.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

template <typename Record>
comqtt_status add(comqtt_load* load, const Record* record, comqtt_error** out_error) noexcept {
    return while_waiting(load, out_error, [&](hooks::Load& request) { return take_record(request, record); });
}

/// The same for what only load_session asks for.
template <typename Record>
comqtt_status add_of_session(comqtt_load* load, const Record* record, comqtt_error** out_error) noexcept {
    return while_waiting(load, out_error, [&](hooks::Load& request) -> Result<void> {
        if (!request.request().session) return invalid("only messages were asked for");
        return take_record(request, record);
    });
}

}  // namespace

comqtt_status comqtt_load_read(const comqtt_load* load, comqtt_load_request* out_request) {
    return guarded(nullptr, [&]() -> Result<void> {
        if (!checked(load)) return invalid("the request is NULL or not a request");
        const hooks::Load::Request& from = load->core->request();
        auto row = comqtt_load_request_init();
        row.client_id = to_str(from.client_id);
        row.session = from.session;
        row.after = from.after;
        row.max_messages = from.max_messages;
        row.max_bytes = from.max_bytes;
        return write_record(row, out_request, "the request record");
    });
}

comqtt_load* comqtt_load_retain(comqtt_load* load) {
    if (checked(load)) retain(load);
    return load;
}

void comqtt_load_release(comqtt_load* load) {
    if (checked(load)) release(load);
}

comqtt_status comqtt_load_add_client(comqtt_load* load, const comqtt_stored_client* record,
                                     comqtt_error** out_error) {
    return add_of_session(load, record, out_error);
}

comqtt_status comqtt_load_add_subscription(comqtt_load* load, const comqtt_stored_subscription* record,
                                           comqtt_error** out_error) {
    return add_of_session(load, record, out_error);
}

comqtt_status comqtt_load_add_message(comqtt_load* load, const comqtt_stored_message* record,
                                      comqtt_error** out_error) {
    return add(load, record, out_error);
}

comqtt_status comqtt_load_complete(comqtt_load* load, comqtt_status status, comqtt_str text) {
    return complete(load, status, text);
}
