// Hand-over between shards: one batch per target shard and round, bounded in bytes.

#include "base/spoil.hpp"
#include "broker/notices.hpp"
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

/// The same for what says nothing about messages: those before it may be on their way still.
void Shard::post_notice(unsigned shard, std::function<void(Shard&)> task) {
    if (shard == here_.number()) {
        here_.mailbox().post(std::move(task));
    } else {
        outboxes_.notice(shard, std::move(task));
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

/// One mail of a batch. False when it is not done, or of a run not all: it has more than a few receivers, and the round's
/// share of deliveries is used up.
bool Shard::accept_mail(MailBatch& batch, Mail& mail) {
    switch (mail.kind) {
        case Mail::Kind::task:
            if (mail.task) mail.task(*this);
            return true;
        case Mail::Kind::message: {
            Publication p = Publication::of(mail.message);
            Route* route = route_in_share(p.topic_name);
            if (!route) return false;
            p.exactly_once = mail.logged != 0;
            deliver_local(*route, p, mail.source);
            if (mail.logged) forget_handover(batch.from, mail.logged);
            return true;
        }
        case Mail::Kind::targeted: {
            Publication p = Publication::of(mail.message);
            p.exactly_once = mail.logged != 0;
            deliver_targeted(mail.target, mail.options, std::move(mail.share), p, mail.source);
            if (mail.logged) forget_handover(batch.from, mail.logged);
            return true;
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
            return accept_run(run, mail.one_topic, batch.run_read);
        }
    }
    return true;
}

/// The sender is told when the stores have what this round made of the batch. What the next rounds make of the rest is
/// confirmed by itself: an empty round would be at once, whatever those before it wait for.
void Shard::confirm_batch(MailBatch& batch) {
    if (!batch.vouched) return;
    if (!batch.all_read()) announce_part(batch);
    if (std::exchange(batch.failed, false)) {
        outboxes_.notice(batch.from, [round = batch.round](Shard& sender) {
            notice_confirmed(sender, round, Status::internal, "a message could not be handled");
        });
        return;
    }
    ledger_.confirm_later({batch.from, batch.round}, std::exchange(batch.passed_on, false));
}

/// One more part of what was handed over together is confirmed by itself.
void Shard::announce_part(const MailBatch& batch) {
    outboxes_.notice(batch.from,
                     [round = batch.round](Shard& sender) { notice_more_confirmations(sender, round); });
}

/// All mails of it are done.
void Shard::finish_batch(MailBatch& batch) {
    const size_t before = here_.mailbox().pending_bytes();
    here_.mailbox().delivered(batch.footprint);
    spoil(batch.bytes);
    here_.mailbox().put_back(std::move(batch.bytes));
    const size_t mark = here_.core().config.limits.handover_bytes / 2;
    if (before > mark && before - batch.footprint <= mark) outboxes_.wake_all();
}

/// Packets to one topic or several: a run of each, in parts when it has very many receivers. `done`: bytes of it that were
/// delivered, in this round or an earlier one. False when some are left.
bool Shard::accept_run(const Run& run, bool one_topic, uint32_t& done) {
    if (one_topic && !done) {
        Route* route = route_in_share(run.topic());
        if (!route) return false;
        if (!RunLimits(route->ordinary()).reached(run.count, run.packets.size)) {
            deliver_run(*route, run);
            return true;
        }
    }
    while (done < run.packets.size) {
        const Run rest = run.from(done);
        Route* route = route_in_share(rest.topic());
        if (!route) return false;
        const Run next = rest.of_one_topic(RunLimits(route->ordinary()));
        deliver_run(*route, next);
        done += static_cast<uint32_t>(next.packets.size);
    }
    return true;
}

}  // namespace comqtt::broker
