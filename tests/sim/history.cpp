#include "sim/history.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "sim/spectator.hpp"

namespace comqtt::sim {

namespace {

constexpr std::array kTopics = {"t/a", "t/b", "t/a/x", "t/b/y", "u/a", "u"};
constexpr std::array kFilters = {"t/a", "t/b", "t/+",   "t/#", "+/a", "t/+/x",
                                 "u/#", "u",   "+/+/y", "r/#", "r/+", "r/1/x"};
constexpr std::array kSharedTopics = {"s/1", "s/2"};
constexpr std::array kGroups = {"$share/all/s/+", "$share/one/s/1"};

}  // namespace

Settings History::sim_settings(const HistorySettings& settings) {
    support::Random random(settings.seed ^ 0x5EED);
    Settings result;
    result.seed = settings.seed;
    result.shards = settings.shards;
    result.trace = settings.trace;
    broker::Config& config = result.config;
    config.sys_topic_resend_interval_s = 0;
    config.capabilities.receive_maximum = static_cast<uint32_t>(random.between(4, 200));
    config.capabilities.topic_alias_maximum = random.chance(80) ? 5 : 0;
    // Far above what a history queues: nothing may be dropped.
    config.capabilities.maximum_client_writes_pending = 1'000'000;
    config.limits.high_mark_bytes = random.chance(50) ? random.between(256, 4096) : 1 << 20;
    config.limits.handover_bytes = random.chance(50) ? random.between(512, 8192) : 16 << 20;
    config.limits.routes = random.chance(30) ? 16 : 1000;
    config.limits.inflight = random.chance(30) ? static_cast<uint32_t>(random.between(1, 8)) : 65'535;
    config.limits.outbound_aliases = static_cast<uint32_t>(random.between(1, 4));
    config.limits.acl_cache_size = random.chance(10) ? 0 : 64;
    config.limits.acl_cache_lifetime_ms = random.chance(50) ? 200 : 10'000;
    // Time jumps: nobody is given up meanwhile.
    config.limits.patience_ms = 1'000'000'000;
    config.limits.stuck_timeout_ms = config.limits.stuck_disconnect_ms = 1'000'000'000;
    config.limits.connect_timeout_ms = config.limits.deferral_timeout_ms = 1'000'000'000;
    config.limits.close_timeout_ms = 1'000'000'000;
    if (random.chance(30)) config.capabilities.maximum_session_expiry_interval = 3600;
    if (random.chance(50)) config.limits.client_queue_memory = random.between(100, 4000);
    if (random.chance(30)) config.limits.uncommitted_bytes = random.between(500, 5000);
    config.limits.slow_store_ms =
        1'000'000'000;  // the store commits when its turn comes, whatever time it is
    return result;
}

History::History(HistorySettings settings)
    : settings_(settings), sim_(sim_settings(settings)), random_(sim_.random), model_(sim_) {
    if (random_.chance(25)) {
        verdicts_ = std::make_shared<SlowVerdicts>(settings.seed, 20);
        sim_.verdicts_are_slow = true;
        // Before the one that allows everything.
        const auto before = sim_.core->hooks.list();
        for (const auto& entry : *before) sim_.core->hooks.remove(entry.handle);
        for (const std::shared_ptr<hooks::Hook>& hook :
             {std::shared_ptr<hooks::Hook>(verdicts_),
              std::shared_ptr<hooks::Hook>(std::make_shared<auth::AllowAll>())})
            demand(static_cast<bool>(sim_.core->hooks.add(hook)), "a hook was not added");
    }
    if (random_.chance(20))
        demand(static_cast<bool>(sim_.core->hooks.add(std::make_shared<Spectator>(random_.chance(50)))),
               "a hook was not added");
    if (random_.chance(40)) {
        store_ = std::make_shared<support::SlowStore>();
        demand(static_cast<bool>(sim_.core->hooks.add(store_)), "a store was not added");
    }
    make_clients();
}

void History::make_clients() {
    const size_t count = random_.between(3, 8);
    for (uint32_t i = 0; i < count; ++i) {
        ClientSettings settings;
        settings.index = i;
        settings.id = "c" + std::to_string(i);
        settings.version = random_.chance(60) ? mqtt::Version::v5 : mqtt::Version::v311;
        settings.wire_capacity =
            random_.chance(50) ? random_.between(64, 1000) : random_.between(1000, 20'000);
        if (settings.version == mqtt::Version::v5) {
            if (random_.chance(60)) settings.receive_maximum = static_cast<uint16_t>(random_.between(1, 10));
            if (random_.chance(50)) settings.alias_maximum = static_cast<uint16_t>(random_.between(1, 5));
            // Members of shared groups take everything.
            if (i % 3 == 2 && random_.chance(40)) settings.maximum_packet_size = 600;
        }
        clients_.push_back(std::make_unique<Client>(sim_, model_, settings));
    }
    ClientSettings watcher;
    watcher.index = static_cast<uint32_t>(count);
    watcher.id = "watcher";
    watcher.watches_wills = true;
    clients_.push_back(std::make_unique<Client>(sim_, model_, watcher));
    ClientSettings probe;
    probe.index = static_cast<uint32_t>(count + 1);
    probe.id = "probe";
    probe_ = std::make_unique<Client>(sim_, model_, probe);
}

void History::run() {
    Client& watcher = *clients_.back();
    watcher.connect({.clean = true});
    come_to_rest();
    watcher.subscribe("w/#", {.qos = 2});
    come_to_rest();
    const unsigned rests = 1 + settings_.steps / 1000;
    for (unsigned part = 0; part < rests; ++part) {
        for (unsigned i = 0; i < settings_.steps / rests; ++i) act();
        come_to_rest();
        check_rest();
    }
    end();
}

void History::act() {
    const size_t dice = random_.below(100);
    fingerprint_ = (fingerprint_ ^ sim_.activity()) * 0x100000001B3;
    if (dice < 35) {
        sim_.run_some(static_cast<unsigned>(random_.below(sim_.shard_count())));
        model_.observe_drains();
    } else if (dice < 55) {
        listen(*random_.pick(clients_));
    } else if (dice < 58) {
        sim_.advance(
            static_cast<int64_t>(random_.chance(5) ? random_.between(500, 5000) : random_.between(1, 30)));
    } else if (dice < 60) {
        if (verdicts_) verdicts_->answer_one();
    } else if (dice < 63) {
        if (store_) store_->at_once = random_.chance(20);
        for (size_t count = random_.below(6); store_ && count; --count) store_->work();
    } else {
        Client& client = *clients_[random_.below(clients_.size() - 1)];
        if (client.up()) {
            act_up(client);
        } else if (client.state() == Client::State::offline) {
            act_offline(client);
        }
    }
}

void History::listen(Client& client) {
    if (random_.chance(2)) client.deaf = !client.deaf;
    if (client.deaf && random_.chance(95)) return;
    client.deaf = false;
    client.read(random_.chance(50) ? random_.between(1, 100) : SIZE_MAX);
    if (random_.chance(70)) client.acknowledge(random_.between(1, 10));
}

void History::act_offline(Client& client) {
    if (random_.chance(70) || !client.may_connect()) return;
    ConnectSettings settings;
    settings.clean = random_.chance(25);
    if (client.v5() && random_.chance(80))
        settings.expiry_s =
            random_.chance(70) ? static_cast<uint32_t>(random_.between(1, 6)) : mqtt::kNoExpiry;
    settings.will = random_.chance(40);
    settings.will_qos = static_cast<uint8_t>(random_.below(3));
    settings.will_delay_s = random_.chance(50) ? static_cast<uint32_t>(random_.between(1, 8)) : 0;
    client.connect(settings);
}

void History::act_up(Client& client) {
    const size_t dice = random_.below(1000);
    if (dice < 700) {
        publish(client);
    } else if (dice < 850) {
        subscribe(client);
    } else if (dice < 880) {
        SessionState* session = client.session();
        if (session->spans.empty()) return;
        client.unsubscribe(random_.pick(session->spans).filter);
    } else if (dice < 890) {
        client.ping();
    } else if (dice < 935) {
        leave(client);
    }
}

void History::publish(Client& client) {
    PublishSettings settings;
    settings.qos = static_cast<uint8_t>(random_.below(3));
    settings.size = random_.chance(80) ? random_.between(1, 80) : random_.between(80, 700);
    if (random_.chance(2)) settings.size = random_.between(4000, 9000);
    if (random_.chance(1)) {
        // Around what the code tells apart, and beyond all of it.
        constexpr std::array<size_t, 8> kBounds = {127,    8'192,   16'384,  16'384,
                                                   65'536, 131'072, 262'144, 300'000};
        settings.size = random_.pick(kBounds) - 10 + random_.below(20);
    }
    settings.alias = random_.chance(40);
    if (random_.chance(5)) settings.expiry_s = static_cast<uint32_t>(random_.between(1, 4));
    std::string topic = random_.pick(kTopics);
    const size_t dice = random_.below(100);
    if (dice < 20) {
        topic = random_.pick(kSharedTopics);
    } else if (dice < 35) {
        // One publisher for each retained topic: its order is then the broker's.
        topic = "r/" + std::to_string(client.settings().index) + (random_.chance(50) ? "/x" : "");
        settings.retain = random_.chance(80);
        settings.expiry_s = 0;
        if (settings.retain && random_.chance(20)) settings.size = 0;
    }
    const size_t burst = settings.size < 9000 && random_.chance(10) ? random_.between(2, 30) : 1;
    for (size_t i = 0; i < burst; ++i)
        if (!client.publish(topic, settings)) break;
}

void History::subscribe(Client& client) {
    SubscribeSettings settings;
    settings.qos = static_cast<uint8_t>(random_.below(3));
    settings.no_local = random_.chance(20);
    settings.retain_as_published = random_.chance(30);
    settings.retain_handling = static_cast<uint8_t>(random_.chance(60) ? 0 : random_.below(3));
    settings.identifier = random_.chance(40) ? static_cast<uint32_t>(random_.between(1, 300)) : 0;
    const uint32_t index = client.settings().index;
    // What only the store holds of a shared subscription is not passed on when its session ends.
    const bool pages = store_ && sim_.core->config.limits.client_queue_memory < 5000;
    if (index % 3 != 2 && !pages && random_.chance(30)) {
        settings.qos = static_cast<uint8_t>(random_.chance(80) ? random_.between(1, 2) : 0);
        client.subscribe(kGroups[index % 3], settings);
        return;
    }
    if (index % 3 == 2 && random_.chance(10)) {
        client.subscribe("#", settings);
        return;
    }
    client.subscribe(random_.pick(kFilters), settings);
}

void History::leave(Client& client) {
    const size_t dice = random_.below(100);
    if (dice < 30) {
        client.cut();
    } else if (dice < 55) {
        client.hang_up();
    } else if (dice < 75) {
        client.walk_away();
    } else {
        const auto reason = random_.chance(30) ? mqtt::Reason::disconnect_with_will : mqtt::Reason::success;
        std::optional<uint32_t> expiry;
        if (random_.chance(20)) expiry = static_cast<uint32_t>(random_.below(5));
        client.disconnect(reason, expiry);
    }
}

void History::come_to_rest() {
    // Connections that were left open are cut at last.
    const auto cut_forgotten = [&] {
        for (const auto& wire : sim_.wires()) {
            if (wire->gone() || (wire->closed_by_client() && !wire->paused())) continue;
            const bool used = (probe_->wire() == wire.get()) ||
                              std::any_of(clients_.begin(), clients_.end(),
                                          [&](const auto& client) { return client->wire() == wire.get(); });
            if (!used) wire->reset();
        }
    };
    uint64_t before = 0;
    unsigned idle = 0;
    for (unsigned rounds = 0;; ++rounds) {
        demand(rounds < 20'000, "the history does not come to rest: {}", unrest());
        before = sim_.activity();
        bool rest = true;
        for (const auto& client : clients_) {
            client->deaf = false;
            if (client->state() == Client::State::offline) {
                rest = false;
                if (client->may_connect()) client->connect({.clean = false, .expiry_s = 1000});
            }
            client->read_all();
            rest &= client->at_rest();
        }
        probe_->read_all();
        rest &= probe_->at_rest() && sim_.core->deferrals == 0;
        if (verdicts_)
            while (verdicts_->waiting()) verdicts_->answer_one();
        if (store_) store_->work_all();
        for (unsigned i = 0; i < sim_.shard_count(); ++i) sim_.run_all(i);
        model_.observe_drains();
        if (rounds > 1) cut_forgotten();
        rest &= rounds > 3 && sim_.quiet();
        if (rest && before == sim_.activity()) break;
        idle = before == sim_.activity() ? idle + 1 : 0;
        if (idle > 3 && verdicts_) sim_.advance(5);
        demand(idle < 20, "the history is stuck: {}", unrest());
    }
    model_.all_routed();
}

void History::check_rest() {
    std::vector<Client*> clients;
    for (const auto& client : clients_) clients.push_back(client.get());
    require_zero(&Metrics::acl_denied, "acl_denied");
    require_zero(&Metrics::quota_exceeded, "quota_exceeded");
    require_zero(&Metrics::protocol_errors, "protocol_errors");
    check_retained();
    model_.check_rest(clients);
    if (store_) check_store();
    for (const auto& wire : sim_.wires())
        demand(wire->gone() || wire->finished() || !wire->paused(), "at rest, but {}", unrest());
    require_zero(&Metrics::inflight, "inflight");
    require_zero(&Metrics::queued_messages, "queued_messages");
    require_zero(&Metrics::deferrals_pending, "deferrals_pending");
    const bool small = std::any_of(clients_.begin(), clients_.end(), [](const auto& client) {
        return client->settings().maximum_packet_size != 0;  // larger messages are dropped
    });
    if (!small) require_zero(&Metrics::messages_dropped, "messages_dropped");
    demand(sim_.core->queued_bytes == 0 && sim_.core->queued_messages == 0, "{} bytes, {} messages queued",
           sim_.core->queued_bytes.load(), sim_.core->queued_messages.load());
    for (const auto& mailbox : sim_.core->mailboxes)
        demand(mailbox->pending_bytes() == 0, "{} bytes in a mailbox", mailbox->pending_bytes());
    demand(sim_.sum(&Metrics::connections) == static_cast<int64_t>(clients_.size()) &&
               sim_.core->connections == clients_.size() && sim_.core->connected == clients_.size() &&
               sim_.core->sessions == clients_.size() && sim_.core->registry.count() == clients_.size(),
           "{} clients, but {} connections, {} in all, {} connected, {} sessions, {} registered",
           clients_.size(), sim_.sum(&Metrics::connections), sim_.core->connections.load(),
           sim_.core->connected.load(), sim_.core->sessions.load(), sim_.core->registry.count());
    size_t certain = 0, possible = 0;
    for (Client* client : clients) {
        std::vector<std::string> sure, open;
        for (const Span& span : client->session()->spans) {
            open.push_back(span.filter);
            if (span.stands != kNever && span.leaving == kNever) sure.push_back(span.filter);
        }
        const auto distinct = [](std::vector<std::string>& all) {
            std::sort(all.begin(), all.end());
            return static_cast<size_t>(std::unique(all.begin(), all.end()) - all.begin());
        };
        certain += distinct(sure);
        possible += distinct(open);
    }
    const auto count = static_cast<size_t>(sim_.sum(&Metrics::subscriptions));
    demand(count >= certain && count <= possible && count == sim_.core->index.subscription_count(),
           "{} subscriptions counted, {} indexed, {} to {} made", count,
           sim_.core->index.subscription_count(), certain, possible);
}

void History::check_retained() {
    std::vector<Client*> clients;
    for (const auto& client : clients_) clients.push_back(client.get());
    probe_->connect({.clean = true});
    come_to_rest();
    probe_->subscribe("r/#", {.qos = 2});
    come_to_rest();
    size_t held = 0;
    for (const std::string& topic : model_.retained_topics()) {
        std::vector<uint32_t> numbers;
        for (const Received& received : probe_->inbox)
            if (received.topic == topic) numbers.push_back(received.number);
        demand(numbers.size() <= 1, "'{}' is retained {} times", topic, numbers.size());
        const uint32_t number = numbers.empty() ? 0 : numbers[0];
        const auto candidates = model_.retained_candidates(topic, clients);
        demand(std::find(candidates.begin(), candidates.end(), number) != candidates.end(),
               "'{}' retains message {} and not {}", topic, number, candidates[0]);
        model_.retained_seen(topic, number);
        held += number != 0;
    }
    demand(sim_.sum(&Metrics::retained) == static_cast<int64_t>(held) && sim_.core->retained_messages == held,
           "{} retained messages counted, {} in all, {} seen", sim_.sum(&Metrics::retained),
           sim_.core->retained_messages.load(), held);
    probe_->inbox.clear();
    probe_->disconnect();
    come_to_rest();
}

/// The store has what the broker has: no message is left, and every session that outlives its connection is there.
void History::check_store() {
    demand(store_->fault.empty(), "the store: {}", store_->fault);
    demand(store_->waiting() == 0, "{} batches wait for the store", store_->waiting());
    require_zero(&Metrics::acks_held, "acks_held");
    demand(sim_.core->stored_bytes == 0 && sim_.core->uncommitted_bytes == 0,
           "{} bytes stored, {} uncommitted", sim_.core->stored_bytes.load(),
           sim_.core->uncommitted_bytes.load());
    size_t subscriptions = 0;
    for (const auto& [id, session] : store_->sessions) {
        if (broker::HandoverLog::of(id)) {
            demand(session.queue.empty(), "{} messages at rest are on their way between shards",
                   session.queue.size());
            continue;
        }
        const auto client = sim_.core->registry.find(id);
        demand(static_cast<bool>(client), "the store has a session of '{}' too many", id);
        demand(session.queue.empty() && session.received.empty(),
               "the store has {} messages and {} identifiers of '{}' at rest", session.queue.size(),
               session.received.size(), id);
        broker::Shard& owner = sim_.shard(sim_.core->shard_of(id));
        demand(owner.subscriptions_of(client->session).size() == session.subscriptions.size(),
               "'{}' has {} subscriptions, {} are stored", id, owner.subscriptions_of(client->session).size(),
               session.subscriptions.size());
        subscriptions += session.subscriptions.size();
    }
    for (const auto& client : sim_.core->registry.all())
        demand(client->session_expiry_s.load() == 0 || store_->sessions.count(client->id),
               "the session of '{}' is not stored", client->id);
    demand(store_->retained.size() == sim_.core->retained_messages, "{} retained messages stored, {} held",
           store_->retained.size(), sim_.core->retained_messages.load());
}

void History::require_zero(Counter Metrics::*member, const char* name) {
    demand(sim_.sum(member) == 0, "{} is {}", name, sim_.sum(member));
}

void History::end() {
    for (const auto& client : clients_) client->disconnect();
    sim_.settle();
    for (const auto& client : clients_) client->connect({.clean = true, .expiry_s = 0});
    come_to_rest();
    for (const auto& client : clients_) client->disconnect();
    sim_.settle();
    if (store_) {
        for (int i = 0; i < 10; ++i) {
            store_->work_all();
            sim_.settle();
        }
        const auto left =
            std::count_if(store_->sessions.begin(), store_->sessions.end(),
                          [](const auto& each) { return !broker::HandoverLog::of(each.first); });
        demand(store_->fault.empty() && left == 0, "after the end the store has {} sessions; {}", left,
               store_->fault);
    }
    require_zero(&Metrics::connections, "connections");
    require_zero(&Metrics::subscriptions, "subscriptions");
    require_zero(&Metrics::inflight, "inflight");
    require_zero(&Metrics::queued_messages, "queued_messages");
    demand(sim_.core->sessions == 0 && sim_.core->connections == 0 && sim_.core->connected == 0 &&
               sim_.core->registry.count() == 0 && sim_.core->index.subscription_count() == 0 &&
               sim_.core->queued_bytes == 0 && sim_.core->deferrals == 0,
           "after the end: {} sessions, {} connections, {} connected, {} registered, {} subscriptions, {} "
           "bytes queued",
           sim_.core->sessions.load(), sim_.core->connections.load(), sim_.core->connected.load(),
           sim_.core->registry.count(), sim_.core->index.subscription_count(),
           sim_.core->queued_bytes.load());
}

std::string History::unrest() const {
    std::string text = sim_.unrest();
    for (const auto& client : clients_)
        if (!client->at_rest()) text += client->unrest();
    if (verdicts_ && verdicts_->waiting()) text += fmt::format("[{} verdicts]", verdicts_->waiting());
    return text;
}

void run_history(HistorySettings settings) {
    try {
        History(settings).run();
    } catch (const Failure& failure) {
        settings.trace = true;
        std::string text = fmt::format("seed {}, {} shards, {} steps: {}", settings.seed, settings.shards,
                                       settings.steps, failure.what());
        History again(settings);
        try {
            again.run();
            text += "\n(it does not happen again with the same seed)";
        } catch (const Failure&) {
        }
        const auto& lines = again.sim().lines();
        const char* wanted = std::getenv("COMQTT_SIM_LINES");
        const size_t count = std::min(lines.size(), wanted ? std::strtoul(wanted, nullptr, 10) : 40);
        for (size_t i = lines.size() - count; i < lines.size(); ++i) text += "\n" + lines[i];
        throw Failure(text);
    }
}

}  // namespace comqtt::sim
