#pragma once
// Requests for the records of one client as stores see them.

#include "capi/store_request.hpp"
#include "hooks/load.hpp"

/// Lives until the last count of the application's is gone.
struct comqtt_load : comqtt::capi::StoreRequest<comqtt_load, comqtt::hooks::Load, 0x434D5152 /* "CMQR" */> {
    using StoreRequest::StoreRequest;
};
