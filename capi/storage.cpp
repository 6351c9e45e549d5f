// Sinks: what a store hands over when the server starts.

#include "capi/records.hpp"

using namespace comqtt;
using namespace comqtt::capi;

namespace {

template <typename Record>
comqtt_status add(comqtt_sink* sink, const Record* record, comqtt_error** out_error) noexcept {
    return guarded(out_error, [&]() -> Result<void> {
        if (!checked(sink)) return invalid("the sink is NULL or over");
        return take_record(sink->sink, record);
    });
}

}  // namespace

comqtt_status comqtt_sink_add_client(comqtt_sink* sink, const comqtt_stored_client* record,
                                     comqtt_error** out_error) {
    return add(sink, record, out_error);
}

comqtt_status comqtt_sink_add_subscription(comqtt_sink* sink, const comqtt_stored_subscription* record,
                                           comqtt_error** out_error) {
    return add(sink, record, out_error);
}

comqtt_status comqtt_sink_add_message(comqtt_sink* sink, const comqtt_stored_message* record,
                                      comqtt_error** out_error) {
    return add(sink, record, out_error);
}

comqtt_status comqtt_sink_add_blocked(comqtt_sink* sink, comqtt_str client_id, comqtt_error** out_error) {
    return guarded(out_error, [&]() -> Result<void> {
        if (!checked(sink)) return invalid("the sink is NULL or over");
        if (text(client_id).empty()) return invalid("the client id is empty");
        return sink->sink.add_blocked(std::string(text(client_id)));
    });
}
