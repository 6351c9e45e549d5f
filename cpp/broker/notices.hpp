#pragma once
// Notices: what a part of a shard puts into the mail of a shard, its own or another. The shard gives each to the part
// that it is for when it reads its mail (notices.cpp); nothing is called here and now.

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace comqtt::broker {

class Shard;

/// A store has committed the batch of a round, or could not.
void notice_stored(Shard& shard, uint64_t round, Status status, const std::string& text);
/// A store has failed to commit, and tries again.
void notice_store_failing(Shard& shard, Status status, const std::string& text);
/// Another shard has stored what it was handed in a round, or could not.
void notice_confirmed(Shard& shard, uint64_t round, Status status, const std::string& text);
/// Another shard confirms in several parts what it was handed in a round: one part more.
void notice_more_confirmations(Shard& shard, uint64_t round);
/// A deferral was completed.
void notice_verdict(Shard& shard, uint64_t number);
/// A store has answered what it was asked for.
void notice_loaded(Shard& shard, uint64_t number);

}  // namespace comqtt::broker
