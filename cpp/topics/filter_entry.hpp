#pragma once
// What the index keeps under one topic filter: ordinary subscribers and shared groups.

#include <memory>

#include "topics/shared_group.hpp"
#include "topics/subscriber_set.hpp"

namespace comqtt::topics {

struct FilterEntry {
    SubscriberSet plain;
    std::unique_ptr<SharedGroups> groups;  ///< null when there is none

    bool empty() const { return plain.size() == 0 && !groups; }
};

}  // namespace comqtt::topics
