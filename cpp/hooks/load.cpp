#include "hooks/load.hpp"

namespace comqtt::hooks {

namespace {

Error foreign(const std::string& id, const std::string& wanted) {
    return Error{Status::invalid_argument,
                 "a record of client '" + id + "' where those of '" + wanted + "' were asked for"};
}
Error too_late() { return Error{Status::state, "the request was completed before"}; }

}  // namespace

Result<void> Load::add(StoredClient record) {
    if (completed()) return too_late();
    if (record.id != request_.client_id) return foreign(record.id, request_.client_id);
    client = std::move(record);
    return {};
}

Result<void> Load::add(StoredSubscription record) {
    if (completed()) return too_late();
    if (record.client_id != request_.client_id) return foreign(record.client_id, request_.client_id);
    subscriptions.push_back(std::move(record));
    return {};
}

Result<void> Load::add(StoredMessage record) {
    if (completed()) return too_late();
    if (record.client_id != request_.client_id) return foreign(record.client_id, request_.client_id);
    messages.push_back(std::move(record));
    return {};
}

Result<void> Load::add_blocked(std::string) {
    return Error{Status::invalid_argument, "blocked clients are loaded at the start only"};
}

Status Load::complete(Status status, std::string text) {
    if (taken_.exchange(true, std::memory_order_acq_rel)) return Status::state;
    status_ = status;
    text_ = std::move(text);
    done_.store(true, std::memory_order_release);
    if (wake_) wake_();
    return Status::ok;
}

}  // namespace comqtt::hooks
