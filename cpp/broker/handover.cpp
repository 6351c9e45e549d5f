// Hand-over between shards: one batch per target shard and round, bounded in bytes.

#include "broker/shard.hpp"

namespace comqtt::broker {

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
    check_handover(shard, source);
}

void Shard::hand_over_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                               Ref<session::ShareName> share, Publication& p, Source source) {
    MailBatch& batch = outbox(target.shard());
    Mail& mail = batch.mails.emplace_back();
    mail.kind = Mail::Kind::targeted;
    mail.source = source;
    mail.message = p.message();
    mail.target = target;
    mail.options = options;
    mail.share = std::move(share);
    batch.footprint += mail.message->footprint();
    check_handover(target.shard(), source);
}

void Shard::hand_over_run(unsigned shard, mqtt::Version version, ByteView run, uint32_t count,
                          Source source, uint64_t publisher) {
    MailBatch& batch = outbox(shard);
    const auto offset = static_cast<uint32_t>(batch.bytes.size());
    batch.bytes.insert(batch.bytes.end(), run.begin(), run.end());
    batch.footprint += run.size;
    Mail* last = batch.mails.empty() ? nullptr : &batch.mails.back();
    if (last && last->kind == Mail::Kind::run && last->source.connection == source.connection &&
        last->version == version && last->offset + last->size == offset) {
        last->size += static_cast<uint32_t>(run.size);
        last->count += count;
    } else {
        Mail& mail = batch.mails.emplace_back();
        mail.kind = Mail::Kind::run;
        mail.version = version;
        mail.source = source;
        mail.target.value = publisher;
        mail.offset = offset;
        mail.size = static_cast<uint32_t>(run.size);
        mail.count = count;
    }
    check_handover(shard, source);
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
    auto& waiters = handover_waiters_[shard];
    for (const Source& waiter : waiters)
        if (waiter.connection == source.connection) return;
    waiters.push_back(source);
    metrics_.backpressure_pauses.add();
    pause(*publisher);
}

void Shard::flush_outboxes() {
    for (unsigned shard = 0; shard < outboxes_.size(); ++shard) {
        MailBatch& batch = outboxes_[shard];
        if (!batch.empty()) {
            core_.mailboxes[shard]->post(std::exchange(batch, {}));
        }
        auto& waiters = handover_waiters_[shard];
        if (waiters.empty() ||
            core_.mailboxes[shard]->pending_bytes() > core_.config.limits.handover_bytes / 2)
            continue;
        for (const Source& source : std::exchange(waiters, {})) resume_source(source);
    }
}

void Shard::accept_mail(MailBatch& batch) {
    for (Mail& mail : batch.mails) {
        switch (mail.kind) {
            case Mail::Kind::task:
                if (mail.task) mail.task(*this);
                break;
            case Mail::Kind::message: {
                Publication p = Publication::of(mail.message);
                deliver_local(route_for(p.topic_name), p, mail.source);
                break;
            }
            case Mail::Kind::targeted: {
                Publication p = Publication::of(mail.message);
                deliver_targeted(mail.target, mail.options, std::move(mail.share), p, mail.source);
                break;
            }
            case Mail::Kind::run:
                accept_run(mail, ByteView(batch.bytes).subview(mail.offset, mail.size));
                break;
        }
    }
    const size_t before = core_.mailboxes[number_]->pending_bytes();
    core_.mailboxes[number_]->delivered(batch.footprint);
    const size_t mark = core_.config.limits.handover_bytes / 2;
    if (before > mark && before - batch.footprint <= mark)
        for (unsigned shard = 0; shard < outboxes_.size(); ++shard)
            if (shard != number_) outbox(shard).mails.emplace_back();
}

void Shard::accept_run(const Mail& mail, ByteView run) {
    const uint8_t* p = run.begin();
    const uint8_t* begin = p;
    Route* route = nullptr;
    uint32_t count = 0;
    const auto deliver_block = [&] {
        if (count)
            deliver_run(*route, mail.version, {begin, static_cast<size_t>(p - begin)}, count,
                        mail.source, mail.target.value);
        begin = p;
        count = 0;
    };
    while (p < run.end()) {
        mqtt::FixedHeader header;
        mqtt::read_fixed_header({p, static_cast<size_t>(run.end() - p)}, header);
        const uint8_t* body = p + header.header_size;
        const ByteView topic(body + 2, load_u16(body));
        if (!route || !(ByteView(route->topic()) == topic)) {
            deliver_block();
            route = &route_for(topic);
        }
        ++count;
        p += header.packet_size();
    }
    deliver_block();
}

}  // namespace comqtt::broker
