#include "broker/outboxes.hpp"

namespace comqtt::broker {

namespace {
/// A batch of this many bytes goes at once: the other shard can begin, and what it reads is still in a cache.
constexpr size_t kFullBatch = 256 * 1024;
}  // namespace

Outboxes::Outboxes(const Here& here)
    : here_(here), batches_(here.core().mailboxes.size()), waiters_(here.core().mailboxes.size()) {}

MailBatch& Outboxes::open(unsigned shard) {
    MailBatch& batch = batches_[shard];
    batch.from = here_.number();
    return batch;
}

Mail& Outboxes::message(unsigned shard, mqtt::MessageRef message, Source source) {
    MailBatch& batch = open(shard);
    Mail& mail = batch.mails.emplace_back();
    mail.kind = Mail::Kind::message;
    mail.source = source;
    batch.footprint += message->footprint();
    mail.message = std::move(message);
    return mail;
}

Mail& Outboxes::targeted(topics::SubscriberId target, mqtt::MessageRef message, Source source) {
    Mail& mail = this->message(target.shard(), std::move(message), source);
    mail.kind = Mail::Kind::targeted;
    mail.target = target;
    return mail;
}

void Outboxes::run(unsigned shard, const Run& run) {
    MailBatch& batch = open(shard);
    if (batch.bytes.empty()) batch.bytes = here_.core().mailboxes[shard]->buffer();
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
    if (batch.footprint >= kFullBatch && !batch.vouched) post(shard);
}

void Outboxes::task(unsigned shard, std::function<void(Shard&)> task) {
    open(shard).mails.emplace_back().task = std::move(task);
}

void Outboxes::task_of(unsigned shard, mqtt::MessageRef message, std::function<void(Shard&)> task) {
    Mail& mail = open(shard).mails.emplace_back();
    mail.task = std::move(task);
    mail.message = std::move(message);
}

void Outboxes::notice(unsigned shard, std::function<void(Shard&)> task) {
    Mail& mail = open(shard).mails.emplace_back();
    mail.task = std::move(task);
    mail.in_order = false;
}

void Outboxes::wake_all() {
    for (unsigned shard = 0; shard < batches_.size(); ++shard)
        if (shard != here_.number()) open(shard).mails.emplace_back();
}

bool Outboxes::vouch(unsigned shard, uint64_t round) {
    MailBatch& batch = open(shard);
    ++vouched_;
    if (batch.vouched) return false;
    batch.vouched = true;
    batch.round = round;
    return true;
}

bool Outboxes::full(unsigned shard) const {
    return batches_[shard].footprint + here_.core().mailboxes[shard]->pending_bytes() > limit();
}

void Outboxes::post(unsigned shard) {
    MailBatch batch = std::exchange(batches_[shard], {});
    const uint64_t round = batch.vouched ? batch.round : 0;
    if (!here_.core().mailboxes[shard]->post(std::move(batch)) && round) lost_.push_back(round);
}

void Outboxes::flush() {
    for (unsigned shard = 0; shard < batches_.size(); ++shard)
        if (!batches_[shard].empty()) post(shard);
}

}  // namespace comqtt::broker
