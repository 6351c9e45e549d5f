#include "sim/sim.hpp"

#include <algorithm>

namespace comqtt::sim {

namespace {

bool is_little(uint64_t seed) { return seed % 3 != 0; }

/// In two of three histories so little at a time that messages to a few receivers are delivered in several rounds.
broker::Shares shares_of(uint64_t seed) {
    if (!is_little(seed)) return {};
    return {.deliveries = 1 + seed / 3 % 5, .flushes = 1 + seed / 15 % 3};
}

}  // namespace

Sim::Sim(Settings settings)
    : little_at_a_time(is_little(settings.seed)),
      random(settings.seed),
      core(std::make_unique<broker::Core>(settings.config, Log{}, clock, *this, settings.shards,
                                          settings.seed * 0x9E3779B97F4A7C15 + 1)),
      awake_(settings.shards),
      last_drain_(settings.shards),
      last_round_ms_(settings.shards),
      trace_(settings.trace) {
    for (unsigned i = 0; i < settings.shards; ++i)
        core->shards.push_back(std::make_unique<broker::Shard>(*core, i, 65'536, shares_of(settings.seed)));
    if (settings.allow_all && !core->hooks.add(std::make_shared<auth::AllowAll>())) fail("no allow-all hook");
}

Sim::~Sim() {
    // The wires outlive the shards that point at them.
    for (const auto& mailbox : core->mailboxes) mailbox->close();
    core->shards.clear();
}

void Sim::wake(unsigned shard) {
    awake_[shard] = true;
    ++activity_;
}

Wire& Sim::dial(size_t capacity) {
    return dial_at(static_cast<unsigned>(random.below(shard_count())), capacity);
}

Wire& Sim::dial_at(unsigned shard, size_t capacity) {
    wires_.push_back(std::make_unique<Wire>(*this, wires_.size() + 1, shard, capacity));
    live_.push_back(wires_.back().get());
    ++activity_;
    return *wires_.back();
}

void Sim::run_some(unsigned shard) { run(shard, false); }
void Sim::run_all(unsigned shard) { run(shard, true); }

void Sim::run(unsigned number, bool everything) {
    broker::Shard& s = shard(number);
    ++step_;
    if (!has_reason(number)) {
        // A real loop would sleep: work that waits for no event would wait for ever.
        last_drain_[number] = step_;
        last_round_ms_[number] = now_ms();
        return;
    }
    s.begin_round();
    const bool mail_first = random.chance(50);
    const bool drains = everything || random.chance(70);
    if (drains && mail_first) read_mail(number);
    tell_wires(number, everything);
    if (drains && !mail_first) read_mail(number);
    s.run_deadlines();
    s.end_round();
    last_round_ms_[number] = now_ms();
}

bool Sim::has_reason(unsigned number) {
    broker::Shard& s = shard(number);
    return awake_[number] || s.busy() || s.next_deadline_ms() <= now_ms() ||
           std::any_of(live_.begin(), live_.end(),
                       [&](const Wire* wire) { return wire->shard() == number && wire->has_news(); });
}

void Sim::tell_wires(unsigned number, bool everything) {
    std::erase_if(live_, [](const Wire* wire) { return wire->gone(); });
    if (live_.empty()) return;
    // From another wire each time, so that none comes first always.
    const size_t start = random.below(live_.size());
    for (size_t i = 0; i < live_.size(); ++i) {
        Wire& wire = *live_[(start + i) % live_.size()];
        if (wire.shard() == number && wire.has_news()) wire.tell(shard(number), everything);
    }
}

void Sim::settle() {
    for (unsigned rounds = 0;; ++rounds) {
        const uint64_t before = activity_;
        for (unsigned i = 0; i < shard_count(); ++i) run_all(i);
        bool restless = false;
        for (unsigned i = 0; i < shard_count(); ++i) restless |= awake_[i] || shard(i).busy();
        if (before == activity_ && !restless) return;
        demand(rounds < 100'000, "the shards do not come to rest: {}", unrest());
    }
}

void Sim::advance(int64_t ms) {
    if (little_at_a_time) finish_turns();
    clock->set(now_ms() + ms);
}

/// A shard that has something to do does not sleep: next to no time passes while a client waits for its turn.
void Sim::finish_turns() {
    for (unsigned i = 0; i < shard_count(); ++i) {
        broker::Shard& s = shard(i);
        for (unsigned rounds = 0; s.busy(); ++rounds) {
            demand(rounds < 100'000, "shard {} does not come to rest", i);
            ++step_;
            s.begin_round();
            read_mail(i);
            s.run_deadlines();
            s.end_round();
            last_round_ms_[i] = now_ms();
        }
    }
}

void Sim::read_mail(unsigned number) {
    const bool awake = awake_[number];
    awake_[number] = false;
    activity_ += awake;
    if (awake || shard(number).busy()) shard(number).read_mail();
    if (core->mailboxes[number]->idle() && !shard(number).busy()) last_drain_[number] = step_;
}

void Sim::pass(int64_t ms, int64_t step_ms) {
    while (ms > 0) {
        const int64_t part = std::min(ms, step_ms);
        advance(part);
        settle();
        ms -= part;
    }
}

bool Sim::quiet() const {
    for (unsigned i = 0; i < core->shards.size(); ++i)
        if (awake_[i] || core->shards[i]->busy() || !core->mailboxes[i]->idle()) return false;
    return std::all_of(live_.begin(), live_.end(), [](const Wire* wire) { return wire->quiet(); });
}

std::string Sim::unrest() const {
    std::string text;
    for (unsigned i = 0; i < core->shards.size(); ++i)
        text +=
            fmt::format("[shard {}:{}{}{}]", i, awake_[i] ? " awake" : "",
                        core->shards[i]->busy() ? " busy" : "", core->mailboxes[i]->idle() ? "" : " mail");
    for (const Wire* wire : live_)
        if (!wire->quiet() || wire->paused())
            text += fmt::format("[wire {} on {}: {} to broker, {} to client{}{}{}{}]", wire->number,
                                wire->shard(), wire->unread_by_broker(), wire->readable(),
                                wire->paused() ? ", paused" : "",
                                wire->closed_by_client() ? ", closed by client" : "",
                                wire->finished() ? ", finished" : "", wire->aborted() ? ", aborted" : "");
    return text;
}

int64_t Sim::sum(Counter Metrics::*member) {
    uint64_t total = 0;
    for (const auto& s : core->shards) total += (s->metrics().*member).get();
    return static_cast<int64_t>(total);
}

size_t Sim::open_wires() const {
    return static_cast<size_t>(
        std::count_if(wires_.begin(), wires_.end(), [](const auto& wire) { return !wire->gone(); }));
}

std::string Sim::id_on(unsigned number, const std::string& name) const {
    std::string id = name;
    for (unsigned i = 0; core->shard_of(id) != number; ++i) id = name + "." + std::to_string(i);
    return id;
}

void Sim::add_line(std::string line) {
    lines_.push_back(fmt::format("{:6} {:7} ms  {}", step_, now_ms(), line));
}

}  // namespace comqtt::sim
