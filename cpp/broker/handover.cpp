// Hand-over between shards: one batch per target shard and round, bounded in bytes.

#include "base/spoil.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {

/// A batch of this many bytes goes at once: the other shard can begin, and what it reads is still in a cache.
constexpr size_t kFullBatch = 256 * 1024;

}  // namespace

MailBatch& Shard::outbox(unsigned shard) {
    MailBatch& batch = outboxes_[shard];
    batch.from = number_;
    return batch;
}

void Shard::hand_over_message(unsigned shard, Publication& p, Source source) {
    MailBatch& batch = outbox(shard);
    Mail& mail = batch.mails.emplace_back();
    mail.kind = Mail::Kind::message;
    mail.source = source;
    mail.message = p.message();
    batch.footprint += mail.message->footprint();
    if (p.exactly_once && p.qos && storing()) mail.logged = log_handover(shard, p, p.qos);
    if (p.qos && storing()) vouch_for(shard);
    check_handover(shard, source);
}

void Shard::hand_over_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                               Ref<session::ShareName> share, Publication& p, Source source,
                               std::string_view client_id) {
    MailBatch& batch = outbox(target.shard());
    Mail& mail = batch.mails.emplace_back();
    mail.kind = Mail::Kind::targeted;
    mail.source = source;
    mail.message = p.message();
    mail.target = target;
    mail.options = options;
    const auto qos = std::min<uint8_t>(p.qos, options.qos);
    if (p.exactly_once && qos && storing())
        mail.logged = log_handover(target.shard(), p, qos,
                                   share ? share->text() : std::string(hooks::kToClient).append(client_id));
    mail.share = std::move(share);
    batch.footprint += mail.message->footprint();
    if (p.qos && storing()) vouch_for(target.shard());
    check_handover(target.shard(), source);
}

void Shard::hand_over_run(unsigned shard, const Run& run) {
    MailBatch& batch = outbox(shard);
    if (batch.bytes.empty()) batch.bytes = core_.mailboxes[shard]->buffer();
    const auto append = [&](ByteView bytes) {
        batch.bytes.insert(batch.bytes.end(), bytes.begin(), bytes.end());
        batch.footprint += bytes.size;
    };
    Mail* last = batch.mails.empty() ? nullptr : &batch.mails.back();
    if (!last || last->kind != Mail::Kind::run || last->source.connection != run.source.connection) {
        append(run.origin_id);
        last = &batch.mails.emplace_back();
        last->kind = Mail::Kind::run;
        last->version = run.version;
        last->source = run.source;
        last->target.value = run.publisher;
        last->origin_size = static_cast<uint16_t>(run.origin_id.size);
        last->offset = static_cast<uint32_t>(batch.bytes.size());
        last->one_topic = true;
    } else if (last->one_topic) {
        last->one_topic = run.topic() == Run::topic_of(ByteView(batch.bytes).from(last->offset));
    }
    append(run.packets);
    last->size += static_cast<uint32_t>(run.packets.size);
    last->count += run.count;
    check_handover(shard, run.source);
    // What is stored with this round waits for its end.
    if (batch.footprint >= kFullBatch && !batch.vouched) post_batch(shard);
}

/// Acknowledgements of this round wait until the other shard has stored what it makes of the batch.
void Shard::vouch_for(unsigned shard) {
    MailBatch& batch = outbox(shard);
    rounds_.vouch();
    ++handed_on_;
    if (batch.vouched) return;
    batch.vouched = true;
    batch.round = rounds_.open().number;
    ++rounds_.open().shards;
}

void Shard::post_batch(unsigned shard) {
    const uint64_t round = outboxes_[shard].vouched ? outboxes_[shard].round : 0;
    if (!core_.mailboxes[shard]->post(std::exchange(outboxes_[shard], {})) && round) {
        if (Round* lost = rounds_.find(round))
            --lost->shards;  // the shard has ended, and its clients with it
    }
}

void Shard::post(unsigned shard, std::function<void(Shard&)> task) {
    if (shard == number_) {
        core_.mailboxes[shard]->post(std::move(task));
        return;
    }
    outbox(shard).mails.emplace_back().task = std::move(task);
}

void Shard::check_handover(unsigned shard, Source source) {
    if (core_.config.backpressure != BackpressurePolicy::wait || !source.connection) return;
    if (source.shard != number_) return;  // passed on for a publisher that another shard reads
    if (outboxes_[shard].footprint + core_.mailboxes[shard]->pending_bytes() <=
        core_.config.limits.handover_bytes)
        return;
    Connection* publisher = connections_.find(source.connection);
    if (!publisher || publisher->state == Connection::State::closing) return;
    uint64_t& waits = waiting_of(*publisher).handovers;
    const uint64_t bit = uint64_t{1} << shard;
    if (waits & bit) return;
    waits |= bit;
    handover_waiters_[shard].push_back(source.connection);
    metrics_.backpressure_pauses.add();
    pause(*publisher);
}

void Shard::flush_outboxes() {
    for (unsigned shard = 0; shard < outboxes_.size(); ++shard) {
        MailBatch& batch = outboxes_[shard];
        if (!batch.empty()) {
            post_batch(shard);
        }
        auto& waiters = handover_waiters_[shard];
        if (waiters.empty() ||
            core_.mailboxes[shard]->pending_bytes() > core_.config.limits.handover_bytes / 2)
            continue;
        for (const uint64_t handle : std::exchange(waiters, {})) {
            Connection* publisher = connections_.find(handle);
            if (!publisher || !publisher->waiting) continue;  // it has closed
            publisher->waiting->handovers &= ~(uint64_t{1} << shard);
            resume(*publisher);
        }
    }
}

void Shard::accept_mail(MailBatch& batch) {
    const uint64_t handed_on = handed_on_;
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
        Round& round = rounds_.open();
        (handed_on == handed_on_ ? round.confirmations : round.passed_on)
            .push_back({batch.from, batch.round});
    }
    const size_t before = core_.mailboxes[number_]->pending_bytes();
    core_.mailboxes[number_]->delivered(batch.footprint);
    spoil(batch.bytes);
    core_.mailboxes[number_]->put_back(std::move(batch.bytes));
    const size_t mark = core_.config.limits.handover_bytes / 2;
    if (before > mark && before - batch.footprint <= mark)
        for (unsigned shard = 0; shard < outboxes_.size(); ++shard)
            if (shard != number_) outbox(shard).mails.emplace_back();
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
