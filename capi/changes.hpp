#pragma once
// Batches of changes as stores see them.

#include "capi/change_views.hpp"
#include "capi/store_request.hpp"

/// Lives until the last count of the application's is gone. One thread at a time reads it.
struct comqtt_changes
    : comqtt::capi::StoreRequest<comqtt_changes, comqtt::hooks::Changes, 0x434D5147 /* "CMQG" */> {
    using StoreRequest::StoreRequest;
    comqtt::capi::ChangeViews views;
};
