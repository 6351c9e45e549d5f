#include "broker/mail_lanes.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/hash.hpp"

namespace comqtt::broker {

namespace {

/// Of a run: the client id of its publisher.
ByteView origin_of(const MailBatch& batch, const Mail& mail) {
    return ByteView(batch.bytes).subview(mail.offset - mail.origin_size, mail.origin_size);
}

}  // namespace

uint64_t MailLanes::publisher_of(const MailBatch& batch) const {
    const Mail& mail = batch.mails[batch.read];
    return hash_bytes(mail.kind == Mail::Kind::run ? origin_of(batch, mail) : mail.message->origin_id(),
                      seed_);
}

bool MailLanes::add(MailBatch& batch, uint64_t number) {
    Mail& mail = batch.mails[batch.read];
    const uint64_t publisher = publisher_of(batch);
    const bool run = mail.kind == Mail::Kind::run;
    const ByteView origin = run ? origin_of(batch, mail) : ByteView();
    const ByteView packets =
        run ? ByteView(batch.bytes).subview(mail.offset + batch.run_read, mail.size - batch.run_read)
            : ByteView();

    // What may fail for want of memory comes first: the mail is in one place then, and nothing is counted twice.
    const auto [at, is_new] = lanes_.try_emplace(publisher);
    Lane& lane = at->second;
    const bool joins = !is_new && lane.parts.back().number == number;
    try {
        if (is_new) turns_.push_back(publisher);
        if (!joins) lane.parts.emplace_back();
        MailBatch& to = lane.parts.back().batch;
        to.bytes.insert(to.bytes.end(), origin.begin(), origin.end());
        to.bytes.insert(to.bytes.end(), packets.begin(), packets.end());
        to.mails.emplace_back();
        if (!joins) count(number);
    } catch (...) {
        if (!joins && !lane.parts.empty()) lane.parts.pop_back();
        if (is_new) {
            if (!turns_.empty() && turns_.back() == publisher) turns_.pop_back();
            lanes_.erase(at);
        }
        throw;
    }

    Part& part = lane.parts.back();
    part.number = number;
    part.batch.from = batch.from;
    part.batch.round = batch.round;
    part.batch.vouched = batch.vouched;
    size_t footprint = 0;
    if (run) {
        mail.offset = static_cast<uint32_t>(part.batch.bytes.size() - packets.size);
        mail.size = static_cast<uint32_t>(packets.size);
        mail.one_topic = mail.one_topic && !batch.run_read;  // else the number of its packets is not known
        batch.run_read = 0;
        footprint = origin.size + packets.size;
    } else {
        footprint = mail.kind == Mail::Kind::task ? 0 : mail.message->footprint();
    }
    footprint = std::min(footprint, batch.footprint);
    batch.footprint -= footprint;
    part.batch.footprint += footprint;
    lane.bytes += footprint;
    part.batch.mails.back() = std::move(mail);
    ++batch.read;
    return !joins;
}

MailBatch& MailLanes::front() { return lanes_.find(turns_.front())->second.parts.front().batch; }

bool MailLanes::asks_to_wait(uint64_t publisher, Source connection, size_t most, bool costly) {
    Lane& lane = lanes_.find(publisher)->second;
    lane.costly |= costly;
    lane.most = most;
    if (!lane.costly && lane.bytes <= most) return false;
    for (const Source& asked : lane.asked)
        if (key_of(asked) == key_of(connection)) return false;
    lane.asked.push_back(connection);
    return true;
}

void MailLanes::add_task(MailBatch& batch, uint64_t number) {
    tasks_.emplace_back(number, std::function<void(Shard&)>());
    tasks_.back().second = std::move(batch.mails[batch.read++].task);
}

std::function<void(Shard&)> MailLanes::take_task() {
    if (tasks_.empty() || tasks_.front().first >= oldest()) return {};
    auto task = std::move(tasks_.front().second);
    tasks_.pop_front();
    return task;
}

void MailLanes::next() {
    const uint64_t publisher = turns_.front();
    const auto at = lanes_.find(publisher);
    Lane& lane = at->second;
    if (lane.parts.front().batch.all_read()) {
        uncount(lane.parts.front().number);
        lane.bytes -= lane.parts.front().batch.footprint;
        lane.parts.pop_front();
    }
    if (!lane.asked.empty() && (lane.parts.empty() || (!lane.costly && lane.bytes <= lane.most / 2))) {
        relieved_.insert(relieved_.end(), lane.asked.begin(), lane.asked.end());
        lane.asked.clear();
    }
    if (lane.parts.empty()) {
        lanes_.erase(at);
    } else {
        turns_.push_back(publisher);
    }
    turns_.pop_front();
}

void MailLanes::count(uint64_t number) {
    if (batches_.empty() || batches_.back().number != number) batches_.push_back({number, 0});
    ++batches_.back().parts;
}

void MailLanes::uncount(uint64_t number) {
    const auto at =
        std::lower_bound(batches_.begin(), batches_.end(), number,
                         [](const Batch& batch, uint64_t wanted) { return batch.number < wanted; });
    --at->parts;
    while (!batches_.empty() && !batches_.front().parts) batches_.pop_front();
}

}  // namespace comqtt::broker
