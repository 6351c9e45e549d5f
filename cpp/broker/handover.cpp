// Hand-over between shards: one batch per target shard and round, bounded in bytes.

#include "base/spoil.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::hand_over_message(unsigned shard, Publication& p, Source source) {
    Mail& mail = outboxes_.message(shard, p.message(), source);
    if (p.exactly_once && p.qos && ledger_.storing()) mail.logged = log_handover(shard, p, p.qos);
    if (p.qos && ledger_.storing()) ledger_.vouch_for(shard);
    check_handover(shard, source);
}

void Shard::hand_over_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                               Ref<session::ShareName> share, Publication& p, Source source,
                               std::string_view client_id) {
    Mail& mail = outboxes_.targeted(target, p.message(), source);
    mail.options = options;
    const auto qos = std::min<uint8_t>(p.qos, options.qos);
    if (p.exactly_once && qos && ledger_.storing())
        mail.logged = log_handover(target.shard(), p, qos,
                                   share ? share->text() : std::string(hooks::kToClient).append(client_id));
    mail.share = std::move(share);
    if (p.qos && ledger_.storing()) ledger_.vouch_for(target.shard());
    check_handover(target.shard(), source);
}

void Shard::hand_over_run(unsigned shard, const Run& run) {
    outboxes_.run(shard, run);
    check_handover(shard, run.source);
}

void Shard::post(unsigned shard, std::function<void(Shard&)> task) {
    if (shard == here_.number()) {
        here_.mailbox().post(std::move(task));
    } else {
        outboxes_.task(shard, std::move(task));
    }
}

/// The publisher waits when the other shard does not keep up.
void Shard::check_handover(unsigned shard, Source source) {
    if (here_.core().config.backpressure != BackpressurePolicy::wait || !source.connection) return;
    if (source.shard != here_.number()) return;  // passed on for a publisher that another shard reads
    if (!outboxes_.full(shard)) return;
    Connection* publisher = clients_.connection(source.connection);
    if (!publisher || publisher->state == Connection::State::closing) return;
    uint64_t& waits = waiting_of(*publisher).handovers;
    const uint64_t bit = uint64_t{1} << shard;
    if (waits & bit) return;
    waits |= bit;
    outboxes_.wait(shard, source.connection);
    here_.metrics().backpressure_pauses.add();
    pause(*publisher);
}

void Shard::flush_outboxes() {
    outboxes_.flush();
    for (const uint64_t round : outboxes_.take_lost()) ledger_.lost(round);
    outboxes_.each_free([&](unsigned shard, uint64_t handle) {
        Connection* publisher = clients_.connection(handle);
        if (!publisher || !publisher->waiting) return;  // it has closed
        publisher->waiting->handovers &= ~(uint64_t{1} << shard);
        resume(*publisher);
    });
}

void Shard::accept_mail(MailBatch& batch) {
    const uint64_t vouched = outboxes_.vouched();
    for (Mail& mail : batch.mails) {
        switch (mail.kind) {
            case Mail::Kind::task:
                if (mail.task) mail.task(*this);
                break;
            case Mail::Kind::message: {
                Publication p = Publication::of(mail.message);
                p.exactly_once = mail.logged != 0;
                deliver_local(route_for(p.topic_name), p, mail.source);
                if (mail.logged) forget_handover(batch.from, mail.logged);
                break;
            }
            case Mail::Kind::targeted: {
                Publication p = Publication::of(mail.message);
                p.exactly_once = mail.logged != 0;
                deliver_targeted(mail.target, mail.options, std::move(mail.share), p, mail.source);
                if (mail.logged) forget_handover(batch.from, mail.logged);
                break;
            }
            case Mail::Kind::run: {
                const ByteView bytes(batch.bytes);
                Run run;
                run.packets = bytes.subview(mail.offset, mail.size);
                run.version = mail.version;
                run.publisher = mail.target.value;
                run.origin_id = bytes.subview(mail.offset - mail.origin_size, mail.origin_size);
                run.source = mail.source;
                run.count = mail.count;
                mail.one_topic ? deliver_run(route_for(run.topic()), run) : accept_run(run);
                break;
            }
        }
    }
    if (batch.vouched) {
        const bool passed_on = vouched != outboxes_.vouched();
        ledger_.confirm_later({batch.from, batch.round}, passed_on);
    }
    const size_t before = here_.mailbox().pending_bytes();
    here_.mailbox().delivered(batch.footprint);
    spoil(batch.bytes);
    here_.mailbox().put_back(std::move(batch.bytes));
    const size_t mark = here_.core().config.limits.handover_bytes / 2;
    if (before > mark && before - batch.footprint <= mark) outboxes_.wake_all();
}

/// Packets to several topics: a run of each.
void Shard::accept_run(const Run& run) {
    Route* route = nullptr;
    const uint8_t* begin = run.packets.begin();
    uint32_t count = 0;
    const auto deliver_block = [&](const uint8_t* end) {
        if (count) deliver_run(*route, run.part({begin, static_cast<size_t>(end - begin)}, count));
        begin = end;
        count = 0;
    };
    run.each([&](ByteView packet, ByteView topic, ByteView) {
        if (!route || !(ByteView(route->topic()) == topic)) {
            deliver_block(packet.begin());
            route = &route_for(topic);
        }
        ++count;
    });
    deliver_block(run.packets.end());
}

}  // namespace comqtt::broker
