// The shard as its transport sees it: connections come and go, rounds begin and end.

#include <algorithm>

#include "base/spoil.hpp"
#include "broker/shard.hpp"

namespace comqtt::broker {

namespace {
constexpr size_t kMailOfRound = 512;
constexpr size_t kMailInARow = 64;  ///< of one publisher
constexpr size_t kEndsOfRound =
    16;  ///< of connections whose clients have closed: an end costs ten times a packet
}  // namespace

Shard::Shard(Core& core, unsigned number, uint32_t chunk_size, Shares shares)
    : here_(core, number),
      clients_(number),
      chunks_(chunk_size),
      routes_(core.config.limits.routes, core.config.limits.route_bytes, core.seed),
      verdicts_(here_, timers_),
      shelf_(here_, timers_),
      loads_(here_, timers_),
      share_(shares.deliveries),
      flushes_(shares.flushes),
      outboxes_(here_),
      ledger_(here_, outboxes_),
      replays_(core.mailboxes.size()),
      lanes_(core.seed),
      handover_logs_(core.mailboxes.size()),
      arrived_logs_(core.mailboxes.size()) {
    begin_round();
}

Shard::~Shard() {
    clients_.each_connection([&](Connection& c) { c.out.clear(chunks_); });
}

void Shard::begin_round() {
    here_.read_clock();
    share_.renew();
    first_pieces_ = kReplayWork;
    filters_left_ = kFiltersPerRound;
}

Connection* Shard::accept(Link& link, PeerInfo peer) {
    const bool moved = peer.moved;
    auto made = std::make_unique<Connection>();
    made->opening = std::make_unique<Opening>(std::move(peer));
    if (shutting_down_ || here_.core().connections.fetch_add(1, std::memory_order_relaxed) >=
                              here_.core().config.limits.connections) {
        if (!shutting_down_) here_.core().connections.fetch_sub(1, std::memory_order_relaxed);
        here_.metrics().connections_refused.add();
        return nullptr;
    }
    Connection& c = clients_.add(std::move(made));
    c.link = &link;
    if (!moved) here_.metrics().connections_accepted.add();
    c.since_ms = c.last_received_ms = here_.now_ms();
    here_.metrics().connections.add();
    schedule(c, deadline_of(c));
    return &c;
}

size_t Shard::read_limit(const Connection& c) const {
    // Before authentication a connection may hold little.
    if (c.state != Connection::State::established) return 4096;
    const size_t most = inputs_.empty() ? 262'144 : 16'384;  // else it might only wait in `partial`
    return c.waiting && c.waiting->in_pulse() ? std::min<uint64_t>(most, c.waiting->pulse_left()) : most;
}

void Shard::on_writable(Connection& c) {
    contain(&c, [&] {
        c.blocked = false;
        flush(c);
        if (c.state == Connection::State::closing) {
            finish_if_drained(c);
            return;
        }
        relieve(c);
        if (c.session && c.session->flow && c.session->flow->has_more()) pump(c, *c.session);
    });
}

void Shard::on_half_closed(Connection& c) { half_closed_.push_back(c.handle); }

void Shard::on_peer_gone(Connection& c) {
    if (c.suspension && c.suspension->step != Step::take_over && c.state == Connection::State::authenticating)
        close(c, {.reason = Reason::unspecified_error,
                  .text = "the client closed the connection",
                  .by_client = true,
                  .tell_client = false});
}

bool Shard::waits_for_turn(const Connection& c) {
    if (c.state != Connection::State::established) return false;
    return c.suspension ? !c.suspension->pending : c.input_waits && !c.waits_for_store;
}

/// Ends half-closed connections that have nothing more to come. The others are looked at again when that may be so.
void Shard::finish_half_closed() {
    share_.renew();
    size_t left = half_closed_.size();
    for (size_t ended = 0; left && ended < kEndsOfRound && !share_.used_up(); --left) {  // wills use it
        Connection* c = clients_.connection(half_closed_.front());
        half_closed_.pop_front();
        if (!c) continue;
        c->half_closed = true;
        if (c->link_lost ? waits_for_turn(*c)
                         : c->suspension || c->input_waits || (c->session && c->session->replays))
            continue;
        ++ended;
        contain(c, [&] {
            close(*c, {.reason = Reason::unspecified_error,
                       .text = c->link_lost ? "the connection was lost; what had arrived was handled first"
                                            : "the client closed the connection",
                       .by_client = true,
                       .tell_client = false});
        });
    }
}

void Shard::on_closed(Connection& c, std::string_view error) {
    c.link = nullptr;
    if (waits_for_turn(c)) {
        c.link_lost = c.half_closed = c.blocked = true;
        return;
    }
    contain(nullptr, [&] {
        if (c.state == Connection::State::closing) return;
        const std::string text = error.empty() ? "the client closed the connection" : std::string(error);
        close(c, {.reason = Reason::unspecified_error,
                  .text = text.c_str(),
                  .by_client = true,
                  .tell_client = false});
    });
    contain(nullptr, [&] { forget(c); });
}

void Shard::end_round() {
    run_take_overs();
    run_inputs();
    run_turns();
    // Nothing of what was read in this round is looked at any more.
    spoil(forward_buffer_);
    spoil(scratch_);
    spoil(encode_buffer_);
    run_departures();
    run_replays();
    // The stores see what is handed over before what becomes of it.
    close_round();
    flush_outboxes();
    loads_.hand_over();
    if (!half_closed_.empty()) finish_half_closed();
    flush_outputs();
    settle_inflight();
    close_round();
    loads_.hand_over();
    flush_outboxes();
    if (!dirty_.empty() || !ready_takers_.empty() || ledger_.something_open())
        here_.mailbox().post([](Shard&) {});
    if (dirty_.empty()) clients_.free_buried();  // else they may stand in it
}

/// Who has little to say does not wait behind a message to very many: their outputs are written by and by.
void Shard::flush_outputs() {
    // Flushing may mark others: a closing connection drains, a will is sent by nobody here.
    for (size_t i = 0; i < dirty_.size(); ++i) {
        dirty_[i]->dirty = false;
        flush_output(*dirty_[i]);
    }
    dirty_.clear();
    for (size_t left = flushes_; left && !late_.empty(); --left) {
        Connection* c = clients_.connection(late_.front());
        late_.pop_front();
        if (!c) continue;
        c->late = false;
        flush_output(*c);
    }
}

void Shard::flush_output(Connection& c) {
    if (!c.link) return;
    if (c.session && c.session->flow) {
        const session::Flow& flow = *c.session->flow;
        c.client->inflight.store(static_cast<uint32_t>(flow.inflight.count()), std::memory_order_relaxed);
        c.client->queued.store(static_cast<uint32_t>(flow.queue.size()), std::memory_order_relaxed);
    }
    flush(c);
    finish_if_drained(c);
    if ((c.congested() || c.unread_answers) && !c.blocked) relieve(c);
    // What queued up because this round wrote much: no acknowledgement or on_writable may come to fetch it.
    if (!c.blocked && c.session && c.session->flow && c.session->flow->has_more()) pump(c, *c.session);
}

/// As much mail as takes a few milliseconds: a host may have put in very much at once, or messages to very many
/// receivers, and sockets wait meanwhile. What publishers that are behind have sent comes first, then the others' in the
/// order it came.
void Shard::read_mail() {
    share_.renew();
    read_lanes();
    run_ready_tasks();
    std::vector<MailBatch> batches = here_.mailbox().take(kMailOfRound);
    MailTurn turn{kMailOfRound};
    size_t done = 0;
    for (; done < batches.size(); ++done) {
        MailBatch& batch = batches[done];
        const uint32_t before = batch.read;
        read_batch(batch, turn);
        confirm_what_was_read(batch, before);
        if (!batch.all_read()) break;
        contain(nullptr, [&] { finish_batch(batch); });
        ++mail_read_;
    }
    if (done == batches.size()) return;
    batches.erase(batches.begin(), batches.begin() + static_cast<ptrdiff_t>(done));
    here_.mailbox().put_back_unread(std::move(batches));
}

/// Each publisher in turn.
void Shard::read_lanes() {
    for (size_t left = kMailOfRound; left && !lanes_.empty() && !share_.used_up();) {
        MailBatch& batch = lanes_.front();
        const uint32_t before = batch.read;
        for (size_t turn = kMailInARow; turn && left && !batch.all_read() && !share_.used_up();
             --turn, --left)
            if (!read_one(batch)) break;
        confirm_what_was_read(batch, before);
        if (batch.all_read()) contain(nullptr, [&] { finish_batch(batch); });
        lanes_.next();
    }
    for (const Source& relieved : lanes_.take_relieved())
        post_notice(relieved.shard, [handle = relieved.connection, number = here_.number()](Shard& shard) {
            shard.wait_for_lane(handle, number, false);
        });
}

/// One of our clients is behind in what it sends to another shard, or is not any more.
void Shard::wait_for_lane(uint64_t handle, unsigned shard, bool waits) {
    Connection* c = clients_.connection(handle);
    if (!c || c->state == Connection::State::closing) return;
    const uint64_t bit = uint64_t{1} << shard;
    uint64_t& lanes = waiting_of(*c).lanes;
    if (((lanes & bit) != 0) == waits) return;
    lanes ^= bit;
    if (!waits) {
        resume(*c);
        return;
    }
    here_.metrics().backpressure_pauses.add();
    pause(*c);
}

/// Messages of a publisher that is behind, and those that would hold up the others', wait in its lane.
void Shard::read_batch(MailBatch& batch, MailTurn& turn) {
    for (; turn.left && !batch.all_read() && turn.tasks < share_.size(); --turn.left) {
        if (!MailLanes::of_publisher(batch)) {
            read_task(batch, turn);
            continue;
        }
        const uint64_t publisher = lanes_.publisher_of(batch);
        turn.in_a_row = publisher == turn.publisher ? turn.in_a_row + 1 : 1;
        turn.publisher = publisher;
        const bool behind = turn.in_a_row > kMailInARow || (!lanes_.empty() && lanes_.has(publisher));
        if (!behind && read_one(batch)) continue;
        contain(nullptr, [&] { add_to_lane(batch, publisher, !behind); });
    }
}

/// `costly`: it has more than a few receivers. Its connection waits, or others would when its mail has used up the room of
/// all publishers.
void Shard::add_to_lane(MailBatch& batch, uint64_t publisher, bool costly) {
    const Source source = batch.mails[batch.read].source;
    if (lanes_.add(batch, mail_read_ + 1) && batch.vouched) {
        try {
            announce_part(batch);
        } catch (...) {
            lanes_.unvouch(publisher);
            batch.failed = true;
            throw;
        }
    }
    const Config& config = here_.core().config;
    if (!source.connection || config.backpressure != BackpressurePolicy::wait ||
        !lanes_.asks_to_wait(publisher, source, config.limits.handover_bytes / 8, costly))
        return;
    post_notice(source.shard, [handle = source.connection, number = here_.number()](Shard& shard) {
        shard.wait_for_lane(handle, number, true);
    });
}

/// What tasks publish counts by itself: lanes may have used up the share.
void Shard::read_task(MailBatch& batch, MailTurn& turn) {
    const Mail& mail = batch.mails[batch.read];
    if (mail.task && mail.in_order && batch.from != UINT32_MAX && !lanes_.empty()) {
        contain(nullptr, [&] { lanes_.add_task(batch, mail_read_ + 1); });
        return;
    }
    const uint64_t used = share_.total();
    read_one(batch);
    turn.tasks += share_.total() - used;
}

/// Those that waited for messages which are done now.
void Shard::run_ready_tasks() {
    while (const auto task = lanes_.take_task()) contain(nullptr, [&] { task(*this); });
}

/// The server ends: what is behind goes out as far as there is time.
void Shard::finish_lanes() {
    constexpr int kRounds = 256;
    for (int left = kRounds; left && !lanes_.empty(); --left) {
        share_.renew();
        read_lanes();
        run_ready_tasks();
    }
}

/// The next mail of a batch. False when it is not done yet.
bool Shard::read_one(MailBatch& batch) {
    const uint64_t vouched = outboxes_.vouched();
    bool done = true, handled = false;
    contain(nullptr, [&] {
        done = accept_mail(batch, batch.mails[batch.read]);
        handled = true;
    });
    batch.failed |= !handled;
    batch.passed_on |= vouched != outboxes_.vouched();
    if (!done) return false;
    ++batch.read;
    batch.run_read = 0;
    return true;
}

void Shard::confirm_what_was_read(MailBatch& batch, uint32_t before) {
    if (batch.read != before || batch.passed_on || batch.failed || batch.all_read())
        contain(nullptr, [&] { confirm_batch(batch); });
}

}  // namespace comqtt::broker
