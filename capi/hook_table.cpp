// From the core's events to the slots of a table.

#include "capi/hook_table.hpp"

#include "capi/changes.hpp"
#include "capi/load.hpp"
#include "capi/observe.hpp"
#include "capi/views.hpp"

namespace comqtt::capi {

TableHook::TableHook(const comqtt_hooks& table, Drop drop, Ref<comqtt_server> owner)
    : table_(table), id_(table.id ? table.id : "hook"), owner_(std::move(owner)), drop_(std::move(drop)) {
#define COMQTT_EVENT(name, kind) \
    if (table_.name) events_ |= hooks::mask_of(hooks::EventId::name);
#include "hooks/events.def"
#undef COMQTT_EVENT
}

TableHook::~TableHook() {
    const CallbackScope scope(*owner_);
    const Drop last(std::move(drop_));  // runs inside the scope
}

Result<void> TableHook::init() {
    if (!table_.init) return {};
    const CallbackScope scope(*owner_);
    try {
        const comqtt_status status = table_.init(drop_.user(), owner_.get());
        if (status == COMQTT_OK) return {};
        return Error{Status::callback, std::string("init answered ") + comqtt_status_name(status)};
    } catch (...) {
        return Error{Status::callback, "init threw an exception"};
    }
}

void TableHook::stop() {
    if (!table_.stop) return;
    const CallbackScope scope(*owner_);
    try {
        table_.stop(drop_.user());
    } catch (...) {  // it was the last call, and nobody hears of it
    }
}

template <typename Slot, typename... Arguments>
auto TableHook::call(Event& event, Slot slot, Arguments... arguments) {
    using Answer = decltype(slot(nullptr, nullptr, arguments...));
    const CallbackScope scope(*owner_);
    const bool question =
        event.id() == hooks::EventId::on_connect_authenticate || event.id() == hooks::EventId::on_acl_check;
    comqtt_event context(event, *owner_, question);
    try {
        if constexpr (std::is_void_v<Answer>) {
            slot(drop_.user(), &context, arguments...);
        } else {
            const Answer answer = slot(drop_.user(), &context, arguments...);
            const bool pending =
                question ? answer == COMQTT_VERDICT_PENDING : answer == COMQTT_ACTION_PENDING;
            if (pending && !context.deferred) event.fail("answered PENDING without a deferral");
            return answer;
        }
    } catch (...) {
        event.fail("the callback threw an exception");
        if constexpr (!std::is_void_v<Answer>) return Answer{0};
    }
}

template <typename Slot, typename... Arguments>
hooks::Verdict TableHook::ask(Event& event, Slot slot, Arguments... arguments) {
    const comqtt_verdict answer = call(event, slot, arguments...);
    if (answer >= COMQTT_NEXT && answer <= COMQTT_VERDICT_PENDING) return static_cast<Verdict>(answer);
    event.fail("gave an answer that does not exist");
    return Verdict::next;
}

template <typename Slot>
auto TableHook::edit(Event& event, Slot slot, Client& client, PacketBox& packet) {
    // Frozen again at the end; while an answer is pending, comqtt_deferral_complete does that.
    struct Thaw {
        explicit Thaw(PacketBox& box) : packet(box) { packet.frozen = false; }
        ~Thaw() {
            if (!pending) packet.frozen = true;
        }
        PacketBox& packet;
        bool pending = false;
    } thaw(packet);
    if constexpr (std::is_void_v<decltype(call(event, slot, show(client), wrap(packet)))>) {
        call(event, slot, show(client), wrap(packet));
    } else {
        const auto answer = call(event, slot, show(client), wrap(packet));
        thaw.pending = answer == COMQTT_ACTION_PENDING && !event.failed();
        return answer;
    }
}

template <typename Slot>
hooks::Action TableHook::act(Event& event, Slot slot, Client& client, PacketBox& packet) {
    const comqtt_action answer = edit(event, slot, client, packet);
    if (answer >= COMQTT_PROCEED && answer <= COMQTT_ACTION_PENDING) return static_cast<Action>(answer);
    event.fail("gave an answer that does not exist");
    return Action::proceed;
}

comqtt_packet* TableHook::read_only(PacketBox& packet) {
    packet.frozen = true;
    return wrap(packet);
}

namespace {

/// What a slot answered that gives a status; what is none is a failure.
Status status_of(hooks::Event& event, comqtt_status answer) {
    if (!event.failed() && !is_outcome(answer)) event.fail("gave an answer that does not exist");
    return event.failed() ? Status::callback : static_cast<Status>(answer);
}

}  // namespace

template <typename Slot, typename... Arguments>
Status TableHook::load(Event& event, StoredSink& sink, Slot slot, Arguments... arguments) {
    comqtt_sink handle(sink);
    return status_of(event, call(event, slot, arguments..., &handle));
}

template <typename Handle, typename Slot, typename Core>
Status TableHook::show_request(Event& event, Slot slot, Core& core) {
    const auto handle = Ref<Handle>::adopt(new (std::nothrow) Handle(core, *owner_));
    if (!handle) return Status::no_memory;
    const comqtt_status answer = call(event, slot, handle.get());
    if (answer == COMQTT_PENDING && !event.failed()) return Status::pending;
    handle->answered.store(true);
    return status_of(event, answer);
}

void TableHook::on_started(Event& event) { call(event, table_.on_started); }
void TableHook::on_stopped(Event& event) { call(event, table_.on_stopped); }

hooks::Verdict TableHook::on_connect_authenticate(Event& event, Client& client, PacketBox& packet) {
    return ask(event, table_.on_connect_authenticate, show(client), read_only(packet));
}

hooks::Verdict TableHook::on_acl_check(Event& event, Client& client, std::string_view topic,
                                       hooks::Access access) {
    return ask(event, table_.on_acl_check, show(client), to_str(topic), static_cast<comqtt_access>(access));
}

void TableHook::on_sys_info_tick(Event& event, const MetricsSnapshot& metrics) {
    const comqtt_metrics record = to_record(metrics);
    call(event, table_.on_sys_info_tick, &record);
}

hooks::Action TableHook::on_connect(Event& event, Client& client, PacketBox& packet) {
    return act(event, table_.on_connect, client, packet);
}

void TableHook::on_session_establish(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_session_establish, show(client), read_only(packet));
}

void TableHook::on_session_established(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_session_established, show(client), read_only(packet));
}

void TableHook::on_disconnect(Event& event, Client& client, const hooks::DisconnectInfo& info) {
    const comqtt_disconnect record = {sizeof record,     static_cast<comqtt_reason>(info.reason),
                                      to_str(info.text), info.by_client,
                                      info.clean,        info.expire};
    call(event, table_.on_disconnect, show(client), &record);
}

hooks::Action TableHook::on_auth_packet(Event& event, Client& client, PacketBox& packet) {
    return act(event, table_.on_auth_packet, client, packet);
}

hooks::Action TableHook::on_packet_read(Event& event, Client& client, PacketBox& packet) {
    return act(event, table_.on_packet_read, client, packet);
}

void TableHook::on_packet_encode(Event& event, Client& client, PacketBox& packet) {
    edit(event, table_.on_packet_encode, client, packet);
}

void TableHook::on_packet_sent(Event& event, Client& client, PacketBox& packet, ByteView bytes) {
    call(event, table_.on_packet_sent, show(client), read_only(packet), to_bytes(bytes));
}

void TableHook::on_packet_processed(Event& event, Client& client, PacketBox& packet, mqtt::Reason reason) {
    call(event, table_.on_packet_processed, show(client), read_only(packet),
         static_cast<comqtt_reason>(reason));
}

void TableHook::on_subscribe(Event& event, Client& client, PacketBox& packet) {
    edit(event, table_.on_subscribe, client, packet);
}

void TableHook::on_subscribed(Event& event, Client& client, PacketBox& packet, hooks::Codes codes,
                              hooks::Counts counts) {
    call(event, table_.on_subscribed, show(client), read_only(packet),
         comqtt_bytes{codes.data(), codes.size()}, counts.data(), counts.size());
}

void TableHook::on_select_subscribers(Event& event, hooks::Selection& selection, PacketBox& packet) {
    comqtt_selection handle(selection, true);
    call(event, table_.on_select_subscribers, &handle, read_only(packet));
}

void TableHook::on_unsubscribe(Event& event, Client& client, PacketBox& packet) {
    edit(event, table_.on_unsubscribe, client, packet);
}

void TableHook::on_unsubscribed(Event& event, Client& client, PacketBox& packet, hooks::Codes codes,
                                hooks::Counts counts) {
    call(event, table_.on_unsubscribed, show(client), read_only(packet),
         comqtt_bytes{codes.data(), codes.size()}, counts.data(), counts.size());
}

hooks::Action TableHook::on_publish(Event& event, Client& client, PacketBox& packet) {
    return act(event, table_.on_publish, client, packet);
}

void TableHook::on_published(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_published, show(client), read_only(packet));
}

void TableHook::on_publish_dropped(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_publish_dropped, show(client), read_only(packet));
}

void TableHook::on_retain_message(Event& event, Client& client, PacketBox& packet, int change) {
    call(event, table_.on_retain_message, show(client), read_only(packet), int32_t{change});
}

void TableHook::on_retain_published(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_retain_published, show(client), read_only(packet));
}

void TableHook::on_qos_publish(Event& event, Client& client, PacketBox& packet, int64_t sent_ms,
                               int resends) {
    call(event, table_.on_qos_publish, show(client), read_only(packet), sent_ms, int32_t{resends});
}

void TableHook::on_qos_complete(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_qos_complete, show(client), read_only(packet));
}

void TableHook::on_qos_dropped(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_qos_dropped, show(client), read_only(packet));
}

void TableHook::on_packet_id_exhausted(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_packet_id_exhausted, show(client), read_only(packet));
}

hooks::Action TableHook::on_will(Event& event, Client& client, PacketBox& packet) {
    return act(event, table_.on_will, client, packet);
}

void TableHook::on_will_sent(Event& event, Client& client, PacketBox& packet) {
    call(event, table_.on_will_sent, show(client), read_only(packet));
}

void TableHook::on_client_expired(Event& event, Client& client) {
    call(event, table_.on_client_expired, show(client));
}

void TableHook::on_retained_expired(Event& event, std::string_view topic) {
    call(event, table_.on_retained_expired, to_str(topic));
}

Status TableHook::stored_clients(Event& event, StoredSink& sink) {
    return load(event, sink, table_.stored_clients);
}

Status TableHook::stored_subscriptions(Event& event, StoredSink& sink) {
    return load(event, sink, table_.stored_subscriptions);
}

Status TableHook::stored_inflight_messages(Event& event, StoredSink& sink) {
    return load(event, sink, table_.stored_inflight_messages);
}

Status TableHook::stored_retained_messages(Event& event, StoredSink& sink) {
    return load(event, sink, table_.stored_retained_messages);
}

Status TableHook::stored_sys_info(Event& event, MetricsSnapshot& metrics) {
    comqtt_metrics record = to_record(metrics);
    const Status status = status_of(event, call(event, table_.stored_sys_info, &record));
    if (status == Status::ok) metrics = to_snapshot(record);
    return status;
}

void TableHook::on_published_with_shared_filters(Event& event, PacketBox& packet,
                                                 const hooks::Selection& selection) {
    comqtt_selection handle(const_cast<hooks::Selection&>(selection), false);
    call(event, table_.on_published_with_shared_filters, read_only(packet), &handle);
}

Status TableHook::stored_client_by_id(Event& event, std::string_view id, StoredSink& sink) {
    return load(event, sink, table_.stored_client_by_id, to_str(id));
}

Status TableHook::stored_subscriptions_by_client(Event& event, std::string_view id, StoredSink& sink) {
    return load(event, sink, table_.stored_subscriptions_by_client, to_str(id));
}

Status TableHook::stored_inflight_by_client(Event& event, std::string_view id, StoredSink& sink) {
    return load(event, sink, table_.stored_inflight_by_client, to_str(id));
}

Status TableHook::stored_retained_by_topic(Event& event, std::string_view topic, StoredSink& sink) {
    return load(event, sink, table_.stored_retained_by_topic, to_str(topic));
}

Status TableHook::store_changes(Event& event, hooks::Changes& changes) {
    return show_request<comqtt_changes>(event, table_.store_changes, changes);
}

Status TableHook::load_session(Event& event, hooks::Load& load) {
    return show_request<comqtt_load>(event, table_.load_session, load);
}

Status TableHook::load_messages(Event& event, hooks::Load& load) {
    return show_request<comqtt_load>(event, table_.load_messages, load);
}

}  // namespace comqtt::capi
