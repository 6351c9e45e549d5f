#pragma once
// RetainedReplay: the retained messages of one new subscription on their way to its client, a piece a round.

#include <string>
#include <unordered_set>

#include "topics/retained_store.hpp"
#include "topics/subscription_index.hpp"

namespace comqtt::broker {

struct RetainedReplay {
    uint64_t session = 0;  ///< SubscriberId value
    std::string topic_filter;
    topics::SubscriptionOptions options;
    unsigned shard = 0;        ///< whose store is being read
    unsigned stores_left = 0;  ///< after this one
    topics::RetainedStore::Cursor cursor;
    bool waiting = false;  ///< for a batch of another shard
    uint64_t number = 0;
    std::unordered_set<uint64_t> live;  ///< hashes of topics whose messages overtook it
};

}  // namespace comqtt::broker
