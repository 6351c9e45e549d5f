#pragma once
// ChangeViews: the changes of one batch as records of comqtt.h. Those that point to further records are made when they
// are first asked for and live as long as this; texts point into the batch.

#include <memory>
#include <variant>
#include <vector>

#include "capi/handles.hpp"
#include "hooks/changes.hpp"

namespace comqtt::capi {

class ChangeViews {
public:
    Result<comqtt_change> at(const hooks::Changes::List& list, size_t index);

private:
    struct Nested {
        std::variant<comqtt_stored_client, comqtt_stored_subscription, comqtt_stored_message> record;
        Ref<hooks::PacketBox> packet;  ///< what the record points to
    };
    static Result<std::unique_ptr<Nested>> make(const hooks::Change& change);

    std::vector<std::unique_ptr<Nested>> nested_;  ///< by index; null = not asked for
};

}  // namespace comqtt::capi
