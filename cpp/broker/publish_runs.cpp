// QoS 0 publishes to one topic in a row: looked at as little as their order and rights allow.

#include "broker/shard.hpp"
#include "broker/topics_ahead.hpp"

namespace comqtt::broker {

namespace {

/// From here on a run is offered to an idle link without a copy.
constexpr size_t kDirectWrite = 8192;

}  // namespace

void Run::convert(std::vector<uint8_t>& out) const {
    const bool to_v5 = version != mqtt::Version::v5;
    out.reserve(packets.size + packets.size / 8);
    ByteWriter writer(out);
    each([&](ByteView, ByteView topic, ByteView payload) {
        writer.u8(0x30);
        writer.varint(static_cast<uint32_t>(2 + topic.size + (to_v5 ? 1 : 0) + payload.size));
        writer.raw({topic.data - 2, topic.size + 2});
        if (to_v5) writer.u8(0);
        writer.raw(payload);
    });
}

const uint8_t* Shard::publish_runs(Connection& c, const uint8_t* p, const uint8_t* end) {
    const bool v5 = c.version == mqtt::Version::v5;
    const uint32_t max = here_.core().config.capabilities.maximum_packet_size;
    Route* route = nullptr;
    const uint8_t* run = p;
    uint32_t count = 0;
    RunLimits limits(0);
    TopicsAhead ahead(routes_, p, end);
    while (end - p >= 4 && *p == 0x30) {
        uint32_t length = p[1] & 0x7F;
        const uint8_t* body = p + 2;
        if (p[1] & 0x80) {
            unsigned shift = 7;
            for (;;) {
                if (body == end || shift > 21) goto done;
                const uint8_t byte = *body++;
                length |= uint32_t{byte & 0x7Fu} << shift;
                shift += 7;
                if (!(byte & 0x80)) {
                    if (byte == 0) goto done;
                    break;
                }
            }
        }
        if (length > static_cast<size_t>(end - body) || length < 3) break;
        const uint32_t topic_size = load_u16(body);
        if (topic_size == 0 || topic_size + 2 + (v5 ? 1 : 0) > length) break;
        if (v5 && body[2 + topic_size] != 0) break;
        const uint8_t* const next = body + length;
        if (max && static_cast<size_t>(next - p) > max) break;
        const ByteView topic(body + 2, topic_size);
        const bool same = route && ByteView(route->topic()) == topic;
        if (!same || limits.reached(count, static_cast<size_t>(p - run))) {
            if (count) {
                flush_run(c, *route, run, p, count);
                if (share_.used_up()) return p;  // the caller decides whether it goes on
                count = 0;
            }
            route = runnable_route(c, topic, ahead.hash_at(p, topic));
            run = p;
            if (!route) break;
            limits = RunLimits(route->receivers());
        }
        ++count;
        p = next;
    }
done:
    if (count) flush_run(c, *route, run, p, count);
    return p;
}

Route* Shard::runnable_route(Connection& c, ByteView topic) {
    const Route* last = c.last_route;
    return runnable_route(c, topic,
                          last && ByteView(last->topic()) == topic ? last->hash : routes_.hash_of(topic));
}

Route* Shard::runnable_route(Connection& c, ByteView topic, uint64_t hash) {
    const uint64_t epoch = here_.core().acl_epoch.load(std::memory_order_relaxed);
    Route* last = c.last_route;
    if (last && last->serial == c.last_serial && c.last_acl_epoch == epoch &&
        c.last_acl_until_ms > here_.now_ms() && last->hash == hash && ByteView(last->topic()) == topic &&
        is_current(*last)) {
        last->used = true;
        return last;
    }
    Route& route = route_for(topic, hash);
    if (!route.valid_name || !c.session) return nullptr;
    if (!c.session->acl) return nullptr;
    if (c.session->acl->find(route.hash, hooks::Access::write, here_.now_ms(), epoch) !=
        hooks::Verdict::allow)
        return nullptr;
    c.last_route = &route;
    c.last_serial = route.serial;
    c.last_acl_epoch = epoch;
    c.last_acl_until_ms = std::min(route.read_until_ms, here_.now_ms() + 1000);
    return &route;
}

void Shard::flush_run(Connection& c, Route& route, const uint8_t* begin, const uint8_t* end, uint32_t count) {
    here_.metrics().packets_received.add(count);
    here_.metrics().messages_received.add(count);
    Run run;
    run.packets = {begin, static_cast<size_t>(end - begin)};
    run.count = count;
    run.version = c.version;
    run.publisher = c.session->id.value;
    run.origin_id = ByteView(c.client->id);
    run.source = {c.handle, here_.number()};
    if (route.groups.empty()) {
        deliver_run(route, run);
        for (uint64_t shards = route.remote_shards; shards; shards &= shards - 1)
            hand_over_run(static_cast<unsigned>(__builtin_ctzll(shards)), run);
        return;
    }
    const auto to_groups = [&](Publication& p) { deliver_to_groups(route, p, run.source); };
    const bool ordinary = !route.targets.empty() || route.remote_shards;
    if (!ordinary) {
        each_in_run(run, to_groups);
        return;
    }
    const uint64_t remote_shards = route.remote_shards;
    // One by one: who receives by an ordinary and by a shared subscription gets the messages in their order.
    run.each([&](ByteView packet, ByteView, ByteView) {
        const Run one = run.part(packet, 1);
        deliver_run(route, one);
        for (uint64_t shards = remote_shards; shards; shards &= shards - 1)
            hand_over_run(static_cast<unsigned>(__builtin_ctzll(shards)), one);
        each_in_run(one, to_groups);
    });
}

/// Calls fn(publication) for each packet.
template <typename F>
void Shard::each_in_run(const Run& run, F&& fn) {
    run.each([&](ByteView, ByteView topic, ByteView payload) {
        mqtt::PublishView view;
        view.topic_name = topic;
        view.payload = payload;
        Publication p = Publication::of(view, here_, run.publisher, run.origin_id);
        fn(p);
    });
}

void Shard::deliver_run(Route& route, const Run& run) {
    const bool hooked = wants(EventId::on_packet_encode) || wants(EventId::on_packet_sent);
    scratch_.clear();
    // More than one go through the cache each time; a single receiver costs what its bytes cost to read.
    if (const size_t others = route.targets.size(); others > 1)
        share_.use((others - 1) * (run.packets.size / 8192 + run.count / 64));
    each_target(route, [&](Target& target) {
        Session& s = *target.session;
        const bool own = is_own(target, run.publisher, run.origin_id);
        if (own && !target.own) return;
        Connection* c = s.connection;
        if (!c && !s.sink) return;
        const auto verdict = verdict_of(target, route.topic());
        const bool v5 = c && c->version == mqtt::Version::v5;
        const bool plain = c && !hooked && !s.read_hold && !(s.flow && s.flow->queue.qos0()) &&
                           verdict == hooks::Verdict::allow && !(c->alias_maximum && v5) &&
                           c->max_packet_size == 0 &&
                           !(v5 && (own ? target.own_identifiers : target.identifiers)) && !c->given_up();
        if (!plain) {
            if (route.targets.size() > 1) share_.use(run.count);
            each_in_run(run, [&](Publication& p) { deliver_target(target, p, own, run.source); });
            return;
        }
        ByteView bytes = run.packets;
        if (v5 != (run.version == mqtt::Version::v5)) {
            if (scratch_.empty()) run.convert(scratch_);
            bytes = ByteView(scratch_);
        }
        if (output_full(*c, bytes.size) ||
            (here_.core().config.backpressure == BackpressurePolicy::drop && over_high_mark(*c))) {
            each_in_run(run,
                        [&](Publication& p) { drop(s, p, session::Delivery{}, DropCause::output_full); });
            return;
        }
        here_.metrics().messages_sent.add(run.count);
        here_.metrics().packets_sent.add(run.count);
        size_t taken = 0;
        if (bytes.size >= kDirectWrite && c->out.empty() && !c->blocked && c->link) {
            const iovec part{const_cast<uint8_t*>(bytes.data), bytes.size};
            taken = c->link->write(&part, 1);
            count_sent(*c, taken);
            if (taken < bytes.size) c->blocked = true;
        }
        if (taken < bytes.size) {
            c->out.append(chunks_, bytes.from(taken));
            touch_output(*c);
            check_congestion(*c, run.source);
        }
    });
}

}  // namespace comqtt::broker
