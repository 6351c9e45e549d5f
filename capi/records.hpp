#pragma once
// Records of a store on their way in: checked, copied, handed to whoever takes them.

#include "capi/guard.hpp"
#include "capi/views.hpp"

namespace comqtt::capi {

Result<hooks::StoredClient> convert(const comqtt_stored_client& record);
Result<hooks::StoredSubscription> convert(const comqtt_stored_subscription& record);
Result<hooks::StoredMessage> convert(const comqtt_stored_message& record);

/// Hands the caller's record to `taker`, which has add(hooks::Stored...).
template <typename Taker, typename Record>
Result<void> take_record(Taker& taker, const Record* theirs) {
    Record record;
    if (auto fine = read_record(theirs, sizeof record, record, "the record"); !fine) return fine;
    auto made = convert(record);
    if (!made) return made.take_error();
    return taker.add(made.take());
}

}  // namespace comqtt::capi
