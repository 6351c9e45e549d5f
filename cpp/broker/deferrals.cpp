// Verdicts that have come, or whose time is over: the step that waited goes on.

#include "broker/shard.hpp"

namespace comqtt::broker {

void Shard::suspend(Connection& c, Suspension state, Ref<hooks::Deferral> deferral) {
    state.pending = verdicts_.wait_for(std::move(deferral), PendingVerdict::What::connection, c.handle);
    c.suspension = std::make_unique<Suspension>(std::move(state));
    pause(c);
}

void Shard::verdict_came(uint64_t number) {
    if (auto pending = verdicts_.came(number)) apply_verdict(std::move(*pending));
}

void Shard::deferral_due(uint64_t number) {
    if (auto pending = verdicts_.due(number)) apply_verdict(std::move(*pending));
}

void Shard::apply_verdict(PendingVerdict pending) {
    const bool in_time = pending.in_time;
    const hooks::DeferralResult result = in_time ? pending.deferral->result() : hooks::DeferralResult{};
    const bool next = in_time && result.value == static_cast<int>(hooks::Verdict::next);
    const bool allowed = in_time && result.value == static_cast<int>(hooks::Verdict::allow);
    switch (pending.what) {
        case PendingVerdict::What::connection: {
            Connection* c = clients_.connection(pending.handle);
            if (!c || !c->suspension || c->suspension->pending != pending.deferral->number) return;
            Suspension state = std::move(*c->suspension);
            c->suspension.reset();
            c->last_received_ms = here_.now_ms();
            auto waiting = std::move(state.waiting);
            // Too late: the application may be editing its packet still.
            if (!in_time && pending.deferral->untouched()) state.box = pending.deferral->untouched();
            continue_step(*c, std::move(state), result, in_time);
            continue_input(*c, std::move(waiting));
            resume(*c);
            if (c->state != Connection::State::closing) schedule(*c, deadline_of(*c));
            return;
        }
        case PendingVerdict::What::read: {
            Session* s = clients_.session(pending.handle);
            if (!s || !s->read_hold || s->read_hold->number != pending.deferral->number) return;
            const std::string topic = std::move(s->read_hold->topic);
            s->read_hold.reset();
            if (next) {
                const auto verdict = read_verdict(*s, topic, pending.position);
                if (verdict == hooks::Verdict::pending) return;
                finish_read_hold(*s, topic, verdict == hooks::Verdict::allow);
                return;
            }
            finish_read_hold(*s, topic, allowed);
            return;
        }
        case PendingVerdict::What::will:
            if (next) {
                begin_will(pending.deferral->client(), std::move(pending.box), pending.position);
            } else if (allowed) {
                send_will(pending.deferral->client(), *pending.box);
            } else {
                here_.metrics().acl_denied.add();
            }
            return;
        case PendingVerdict::What::inline_publish: inline_verdict(pending); return;
    }
}

void Shard::continue_step(Connection& c, Suspension state, const hooks::DeferralResult& result,
                          bool in_time) {
    using hooks::Action;
    using hooks::Verdict;
    const bool next = in_time && result.value == 0;
    const Reason late = Reason::server_unavailable;
    const Reason reason = !in_time ? late : result.has_reason ? result.reason : Reason::success;
    const std::string text = in_time ? result.text : "no verdict in time";
    const Verdict verdict = in_time ? static_cast<Verdict>(result.value) : Verdict::deny;
    const Action action = in_time ? static_cast<Action>(result.value) : Action::fail;
    Inbound in;
    switch (state.step) {
        case Step::connect:
            if (next) {
                continue_connect(c, std::move(state.box), state.position);
            } else {
                hooks::Event event(EventId::on_connect, here_.wall_ms());
                if (reason != Reason::success) event.set_reason(reason, text);
                finish_connect(c, std::move(state.box), action, &event);
            }
            return;
        case Step::authenticate:
            if (next) {
                begin_authenticate(c, std::move(state.box), state.position);
            } else {
                finish_authenticate(c, std::move(state.box), verdict, reason, text);
            }
            return;
        case Step::auth:
            // CONTINUE after an edit is an answer like any other; without one the next hook is asked.
            if (next && !state.box->edited) {
                begin_auth(c, std::move(state.box), state.position);
            } else {
                finish_auth(c, std::move(state.box), action, reason, text);
            }
            return;
        case Step::publish_acl:
            in.box = state.box;
            in.injected = state.injected;
            view_box(in, forward_buffer_);
            if (next) {
                begin_publish_acl(c, in, state.position);
                return;
            }
            if (in_time)
                store_verdict(*c.session, in.view.topic_name.text(), hooks::Access::write,
                              verdict == Verdict::allow);
            finish_publish_acl(c, in, verdict == Verdict::allow,
                               in_time && result.has_reason ? result.reason : Reason::not_authorized, text);
            return;
        case Step::publish:
            in.box = state.box;
            in.injected = state.injected;
            if (next) {
                begin_publish(c, in, state.position);
                return;
            }
            if (!here_.sound(*in.box, EventId::on_publish)) {
                in.received_qos = in.box->received_qos;
                in.received_id = in.box->received_id;
                refuse_publish(c, in, Reason::implementation_specific_error, {});
                return;
            }
            view_box(in, forward_buffer_);
            finish_publish(c, in, action,
                           reason == Reason::success ? Reason::unspecified_error
                           : in_time                 ? reason
                                                     : Reason::implementation_specific_error,
                           text);
            return;
        case Step::load: return;  // session_came() goes on
        case Step::subscribe:
        case Step::replay:
        case Step::unsubscribe: return;  // run_turns() goes on
        case Step::take_over: return;    // run_take_overs() goes on
        case Step::retain:
            in.box = state.box;
            in.injected = state.injected;
            in.may_retain = true;
            view_box(in, forward_buffer_);
            if (verdict == Verdict::allow) {
                accept_publish(c, in, true);
            } else {
                refuse_retained(c.client->id, in.view.topic_name.text());
                refuse_publish(c, in, Reason::quota_exceeded, kRetainedFull);
            }
            return;
        case Step::subscribe_acl: {
            if (!next) {
                const auto& entry = state.box->packet.filters[state.index];
                const Reason refused = in_time && result.has_reason ? result.reason : Reason::not_authorized;
                if (verdict == Verdict::allow) {
                    count_added(*c.session, state, entry.filter);
                    state.codes[state.index] = static_cast<uint8_t>(
                        std::min<uint32_t>(entry.qos, here_.core().config.capabilities.maximum_qos));
                } else {
                    here_.metrics().acl_denied.add();
                    state.codes[state.index] = static_cast<uint8_t>(
                        here_.core().config.compatibilities.obscure_not_authorized ? Reason::unspecified_error
                                                                                   : refused);
                }
                ++state.index;
                state.position = 0;
            }
            continue_subscribe(c, std::move(state));
            return;
        }
    }
}

void Shard::continue_input(Connection& c, std::deque<Ref<PacketBox>> waiting) {
    while (!waiting.empty() && !c.suspension && c.state == Connection::State::established) {
        const Ref<PacketBox> box = std::move(waiting.front());
        waiting.pop_front();
        handle_packet(c, box, true);
    }
    if (c.suspension) c.suspension->waiting = std::move(waiting);
    if (c.suspension || c.state == Connection::State::closing) return;
    if (!c.partial.empty()) {
        const std::vector<uint8_t> held = std::move(c.partial);
        c.partial.clear();
        const size_t used = process(c, ByteView(held));
        if (c.state != Connection::State::closing && used < held.size())
            keep_partial(c, ByteView(held).from(used));
    }
    if (!c.suspension) note_taker(c);
}

}  // namespace comqtt::broker
