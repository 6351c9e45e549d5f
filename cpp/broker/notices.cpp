#include "broker/notices.hpp"

#include "broker/shard.hpp"

namespace comqtt::broker {

void notice_stored(Shard& shard, uint64_t round, Status status, const std::string& text) {
    shard.store_answered(round, status, text);
}

void notice_store_failing(Shard& shard, Status status, const std::string& text) {
    shard.store_failing(status, text);
}

void notice_confirmed(Shard& shard, uint64_t round, Status status, const std::string& text) {
    shard.round_confirmed(round, status, text);
}

void notice_more_confirmations(Shard& shard, uint64_t round) { shard.more_confirmations(round); }

void notice_verdict(Shard& shard, uint64_t number) { shard.verdict_came(number); }

void notice_loaded(Shard& shard, uint64_t number) { shard.load_came(number); }

}  // namespace comqtt::broker
