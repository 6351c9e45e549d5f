#pragma once
// Shard: one thread's part of the broker. It owns connections and sessions, takes received bytes, and leaves bytes
// in outputs that end_round() flushes, not all in the same round when they are very many. It performs no I/O of its
// own and reads the clock once per batch. The files shard_*.cpp, handle_*.cpp and the others named below implement it
// in the order a message travels.
//
// Everything here runs on the shard's thread; other threads post to its Mailbox.

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.hpp"
#include "broker/clients.hpp"
#include "broker/close_cause.hpp"
#include "broker/connection.hpp"
#include "broker/core.hpp"
#include "broker/delivery_share.hpp"
#include "broker/departure.hpp"
#include "broker/drop_cause.hpp"
#include "broker/handover_log.hpp"
#include "broker/here.hpp"
#include "broker/inbound.hpp"
#include "broker/inline_input.hpp"
#include "broker/ledger.hpp"
#include "broker/loads.hpp"
#include "broker/log_limiters.hpp"
#include "broker/mail_lanes.hpp"
#include "broker/outboxes.hpp"
#include "broker/publication.hpp"
#include "broker/publish_writer.hpp"
#include "broker/replays.hpp"
#include "broker/retained_room.hpp"
#include "broker/retained_shelf.hpp"
#include "broker/route.hpp"
#include "broker/run.hpp"
#include "broker/session.hpp"
#include "broker/timers.hpp"
#include "broker/verdicts.hpp"
#include "broker/waiting_connects.hpp"
#include "hooks/hook.hpp"
#include "mqtt/codec.hpp"
#include "topics/retained_store.hpp"

namespace comqtt::broker {

using mqtt::Packet;

class Shard final {
public:
    Shard(Core& core, unsigned number, uint32_t chunk_size = 65'536, Shares shares = {});
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    // --- for the transport (shard.cpp) ---
    /// A new connection; null when a limit refuses it.
    Connection* accept(Link& link, PeerInfo peer);
    /// Received bytes, valid during the call.
    void receive(Connection& connection, ByteView bytes);
    void on_writable(Connection& connection);
    /// The peer will send no more; what it asked for is still answered, then the connection ends.
    void on_half_closed(Connection& connection);
    /// The peer closed while it was not being read. Before the session exists nobody waits for its verdict.
    void on_peer_gone(Connection& connection);
    /// The transport is gone. `error` empty when the peer closed in order.
    void on_closed(Connection& connection, std::string_view error);
    /// What has arrived on it is handled soon: neither a store nor a hook is waited for.
    static bool waits_for_turn(const Connection& c);
    /// How many bytes to read from this connection at most.
    size_t read_limit(const Connection& connection) const;
    /// Runs a piece of work. What it throws, memory that is out above all, costs the piece and the connection it was
    /// for, never the host's process.
    template <typename F>
    void contain(Connection* c, F&& work) noexcept;
    /// Reads the clock. Call before each batch.
    void begin_round();
    /// Flushes outputs and hand-overs. Call after each batch.
    void end_round();
    /// Does what other threads have asked for, or a part of it when that is much.
    void read_mail();
    /// Does what is due, or a part of it when that is much.
    void run_deadlines();
    int64_t next_deadline_ms() const { return timers_.next_ms(); }
    /// True when there is work that waits for neither input nor time: replays, turns, outputs, ends, what is due.
    bool busy() const;
    bool idle() const;
    /// Milliseconds since the oldest changes that are not committed were handed to the stores. Any thread.
    int64_t uncommitted_since_ms() const { return ledger_.uncommitted_since_ms(); }

    // --- by mail, from stores, hooks and other shards: see notices.hpp ---
    void verdict_came(uint64_t number);
    void load_came(uint64_t number);
    void store_answered(uint64_t number, Status status, const std::string& text);
    void store_failing(Status status, const std::string& text) { ledger_.failing(status, text); }
    void round_confirmed(uint64_t number, Status status, const std::string& text);
    void more_confirmations(uint64_t round) { ledger_.expect_one_more(round); }

    // --- for the server (shard_api.cpp) ---
    Core& core() { return here_.core(); }
    unsigned number() const { return here_.number(); }
    Metrics& metrics() { return here_.metrics(); }
    int64_t now_ms() const { return here_.now_ms(); }
    int64_t wall_ms() const { return here_.wall_ms(); }
    Session* find_session(uint64_t subscriber) { return clients_.session(subscriber); }
    void disconnect_client(uint64_t subscriber, Reason reason);
    void expire_client(uint64_t subscriber);
    void send_to_client(uint64_t subscriber, Packet packet);
    void inject(uint64_t subscriber, Packet packet);
    std::vector<hooks::StoredSubscription> subscriptions_of(uint64_t subscriber);
    Session& make_inline_session(Ref<hooks::Client> client, bool owner);
    void subscribe_inline(Session& session, std::string_view filter, topics::SubscriptionOptions options,
                          InlineSink sink);
    void remove_inline_session(uint64_t subscriber);
    void publish_inline(hooks::Client& client, Packet packet);
    /// Lets go of hooks that were removed.
    void renew_hooks() { here_.renew_hooks(); }
    static mqtt::MessageRef message_of(const Packet& packet, std::string_view origin, int64_t created_ms,
                                       int64_t born_ms, uint8_t published_qos = 0);
    mqtt::MessageRef stored_message(const hooks::StoredMessage& record) const;
    void collect_retained(std::string_view filter, std::vector<mqtt::MessageRef>& out);
    /// The server holds as many retained messages as it may, and none of this topic. Any thread.
    static bool certainly_not_retained(const Core& core, std::string_view topic);
    static constexpr const char* kRetainedFull = "the server holds as many retained messages as it may";
    /// The limit is reached and the topic is not retained: counted, logged.
    void refuse_retained(std::string_view client_id, std::string_view topic);
    /// False when there was none.
    bool remove_retained(std::string_view topic);
    /// DISCONNECT 0x8B to everybody; connections linger up to drain_ms.
    void shut_down(int64_t drain_ms);
    /// Aborts what is left and cancels what waits.
    void terminate();
    void close_listener_clients(const std::string& listener);
    size_t connection_count() const { return clients_.connection_count(); }
    /// $SYS topics, then on_started; shard 0 only.
    void start();
    /// on_stopped; shard 0 only.
    void finish();
    /// Restores stored state, before threads run, on shard 0 (restore.cpp).
    void restore_client(const hooks::StoredClient& record);
    Result<void> restore_subscription(const hooks::StoredSubscription& record);
    Result<void> restore_message(const hooks::StoredMessage& record);
    void restore_retained(mqtt::MessageRef message);
    /// What was handed over and had not arrived when the server ended, in order; on shard 0 (handover_log.cpp).
    void replay_handovers(const hooks::StoredClient& log, const std::vector<hooks::StoredMessage>& messages);
    /// The log has been replayed.
    void end_handover_log(const hooks::StoredClient& log);
    /// Asks the per-client loaders for a session that is not here; null when none knows it.
    Session* load_session(const std::string& client_id);
    void load_retained(std::string_view topic);
    void record_blocked(const std::string& client_id, bool blocked) {
        if (ledger_.storing())
            ledger_.record_text(blocked ? Ledger::Kind::client_blocked : Ledger::Kind::client_unblocked,
                                nullptr, client_id);
    }

private:
    // --- work that failed (contain.cpp) ---
    void work_failed(Connection* c, const char* what) noexcept;

    // --- receiving (receive.cpp) ---
    void take_received(Connection& c, ByteView bytes);
    size_t process(Connection& c, ByteView bytes);
    bool process_frame(Connection& c, ByteView frame, const mqtt::FixedHeader& header);
    /// Which shard owns the session that this CONNECT asks for; ours when it cannot be told.
    unsigned connect_owner(ByteView frame) const;
    uint64_t packet_limit(const Connection& c) const;
    void keep_partial(Connection& c, ByteView rest);
    void uncount_connecting(Connection& c);
    bool connect_arrived(const Connection& c) const;
    uint64_t connect_decided(const mqtt::FixedHeader& header) const;
    void refuse_large_connect(Connection& c, ByteView packet, const mqtt::FixedHeader& header);
    void refuse_unread_connect(Connection& c, Reason reason, const char* text);
    bool handle_packet(Connection& c, Ref<PacketBox> box, bool injected);
    bool refuse_read(Connection& c, const Ref<PacketBox>& box, const hooks::Event& event);
    Ref<PacketBox> box_packet(Packet packet, std::string_view origin = {}) const;

    // --- QoS 0 publishes in a row (publish_runs.cpp) ---
    const uint8_t* publish_runs(Connection& c, const uint8_t* p, const uint8_t* end);
    void flush_run(Connection& c, Route& route, const uint8_t* begin, const uint8_t* end, uint32_t count);
    void deliver_run(Route& route, const Run& run);
    Route* runnable_route(Connection& c, ByteView topic);
    Route* runnable_route(Connection& c, ByteView topic, uint64_t hash);
    template <typename F>
    void each_in_run(const Run& run, F&& fn);

    // --- CONNECT (handle_connect.cpp) ---
    void handle_connect(Connection& c, ByteView frame);
    void begin_connect(Connection& c, Ref<PacketBox> box);
    void continue_connect(Connection& c, Ref<PacketBox> box, size_t position);
    void finish_connect(Connection& c, Ref<PacketBox> box, hooks::Action action, const hooks::Event* event);
    void begin_authenticate(Connection& c, Ref<PacketBox> box, size_t position);
    void finish_authenticate(Connection& c, Ref<PacketBox> box, hooks::Verdict verdict, Reason reason,
                             std::string_view text);
    /// How far a CONNECT that had to wait has come.
    enum class Progress : uint8_t { begins, loaded, announced };
    void establish(Connection& c, Ref<PacketBox> box, Progress progress = Progress::begins);
    bool send_connack(Connection& c, const Packet& connect, bool session_present);
    void refuse_connect(Connection& c, Reason reason, std::string_view text, const char* statement = "",
                        int64_t offset = -1);
    void describe_client(hooks::Client& client, const Packet& packet) const;
    bool connect_read(Connection& c, PacketBox& box);
    void resume_flow(Connection& c, Session& s);
    /// `owner`: the session is the client's own, not one of its inline subscriptions.
    Session& make_session(Ref<hooks::Client> client, bool owner = true);

    // --- a client id that connects again (take_over.cpp) ---
    void note_waiting_connect(Connection& c);
    void forget_waiting_connect(Connection& c);
    void end_earlier_connects(const Connection& c);
    void wait_for_old_connection(Connection& c, Ref<PacketBox> box);
    Connection* first_taker(const Connection& c) const;
    void note_taker(const Connection& c);
    void run_take_overs();
    bool hear_out(Connection& c, Connection& old);
    void take_over(Connection& c);

    // --- AUTH (handle_auth.cpp) ---
    void begin_auth(Connection& c, Ref<PacketBox> box, size_t position);
    void finish_auth(Connection& c, Ref<PacketBox> box, hooks::Action action, Reason reason,
                     std::string_view text);
    bool handle_auth(Connection& c, Ref<PacketBox> box);

    // --- PUBLISH (handle_publish.cpp) ---
    bool handle_publish(Connection& c, Inbound& in);
    bool begin_publish_acl(Connection& c, Inbound& in, size_t position);
    bool finish_publish_acl(Connection& c, Inbound& in, bool allowed, Reason reason, std::string_view text);
    bool begin_publish(Connection& c, Inbound& in, size_t position);
    bool finish_publish(Connection& c, Inbound& in, hooks::Action action, Reason reason,
                        std::string_view text);
    void accept_publish(Connection& c, Inbound& in, bool forward);
    void acknowledge_publish(Connection& c, const Inbound& in, Reason reason, std::string_view text);
    void refuse_publish(Connection& c, const Inbound& in, Reason reason, std::string_view text);
    bool refuse_while_failing(Connection& c, Inbound& in);
    bool refuse_unheard(Connection& c, const Inbound& in, Reason reason, std::string_view text);
    bool some_queue_full(Publication& p, const Inbound& in);
    void materialize(Connection& c, Inbound& in);
    static void view_box(Inbound& in, std::vector<uint8_t>& properties);
    void publish(Publication& publication, Source source, hooks::Client* client, PacketBox* box,
                 Route* known = nullptr);

    // --- acknowledgements (handle_acks.cpp) ---
    bool handle_ack(Connection& c, mqtt::PacketType type, const mqtt::AckView& ack);
    void send_ack(Connection& c, mqtt::PacketType type, mqtt::PacketId id, Reason reason,
                  std::string_view text = {}, const mqtt::Properties* inherited = nullptr);
    Packet ack_packet(const Connection& c, mqtt::PacketType type, mqtt::PacketId id, Reason reason,
                      std::string_view text, const mqtt::Properties* inherited) const;
    void answer(Connection& c, uint64_t before, mqtt::PacketType type, mqtt::PacketId id, Reason reason,
                std::string_view text = {}, const mqtt::Properties* inherited = nullptr);

    // --- SUBSCRIBE and UNSUBSCRIBE (handle_subscribe.cpp) ---
    bool handle_subscribe(Connection& c, Ref<PacketBox> box, bool injected);
    void continue_subscribe(Connection& c, Suspension state);
    void add_subscriptions(Connection& c, Suspension state);
    void start_replays(Connection& c, Suspension state);
    bool handle_unsubscribe(Connection& c, Ref<PacketBox> box);
    void continue_unsubscribe(Connection& c, Suspension state);
    static void count_added(const Session& s, Suspension& state, const std::string& filter);
    bool take_filter(std::string_view filter);
    void end_for_large_answer(Connection& c);
    void wait_turn(Connection& c, Suspension state);
    void run_turns();
    void wait_for_share(Connection& c);
    void run_inputs();
    void run_departures();
    uint8_t check_filter(Connection& c, const Suspension& state) const;
    void add_subscription(Session& s, const mqtt::TopicFilterEntry& entry, uint32_t identifier, bool& existed,
                          int32_t& count);
    bool remove_subscription(Session& s, const std::string& filter, int32_t& count);
    Subscriptions::Map remove_all_subscriptions(Session& s);
    void set_members_online(Session& s, bool online);

    // --- PINGREQ, DISCONNECT (handle_control.cpp) ---
    bool handle_disconnect(Connection& c, const Packet& packet);
    void handle_ping(Connection& c);

    // --- fan-out (fanout.cpp) ---
    Route& route_for(ByteView topic) { return route_for(topic, routes_.hash_of(topic)); }
    Route& route_for(ByteView topic, uint64_t hash);
    Route* route_in_share(ByteView topic);
    bool is_current(const Route& route) const;
    Route& passing_route(ByteView topic);
    void fill_route(Route& route);
    void fill_targets(Route& route);
    hooks::Verdict verdict_of(Target& target, std::string_view topic);
    /// Calls fn(target) for each receiver of this shard.
    template <typename F>
    void each_target(Route& route, F&& fn);
    void deliver_local(Route& route, Publication& p, Source source);
    /// The message is the session's own: sent under its client id, whichever session that was [MQTT-3.8.3-3].
    static bool is_own(const Target& target, uint64_t publisher, ByteView origin_id);
    static session::Delivery form_for(const Target& target, const Publication& p, bool own);
    void deliver_target(Target& target, Publication& p, bool own, Source source);
    /// False when it went neither to the client nor into its queue.
    bool deliver(Session& s, Publication& p, session::Delivery&& form, Source source);
    bool goes_at_once(const Connection& c, const Session& s, size_t bytes) const;
    bool output_full(const Connection& c, size_t bytes) const;
    void deliver_to_groups(const Route& route, Publication& p, Source source);
    void deliver_to_group(const RouteGroup& group, Publication& p, Source source, bool redelivery,
                          topics::SubscriberId except);
    void deliver_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                          Ref<session::ShareName> share, Publication& p, Source source);
    bool pass_on_shared(topics::SubscriberId from, bool gone, const Ref<session::ShareName>& share,
                        Publication& p, Source source);
    void call_inline(Session& s, Publication& p, const session::Delivery& form);
    void redeliver_shared(Session& s, bool ending);
    hooks::Selection select_receivers(Publication& p, PacketBox& box, std::vector<Offer>& offers);
    bool route_needs_hooks() const;

    // --- read and write verdicts (acl.cpp) ---
    hooks::Verdict cached_verdict(Session& s, std::string_view topic, hooks::Access access);
    void store_verdict(Session& s, std::string_view topic, hooks::Access access, bool allowed,
                       bool for_all_topics = false);
    /// allow, deny, or pending with the hold set up.
    hooks::Verdict read_verdict(Session& s, std::string_view topic, size_t position = 0);
    void finish_read_hold(Session& s, const std::string& topic, bool allowed);

    // --- sending (sending.cpp) ---
    /// False when it could not be made to fit the client's Maximum Packet Size.
    bool send_packet(Connection& c, Packet packet);
    bool send_delivery(Connection& c, Session& s, session::Delivery&& delivery, mqtt::PacketId resend_id,
                       Publication& publication);
    void pump(Connection& c, Session& s);
    int64_t due_ms(const mqtt::Message& message) const;
    /// False when there was no room for it.
    bool enqueue(Session& s, session::Delivery delivery);
    void count_queued(uint64_t messages, uint64_t bytes);
    void uncount_queued(uint64_t messages, uint64_t bytes);
    bool queue_full(const Session& s, size_t bytes) const;
    uint64_t bytes_waiting(const Session& s) const;
    void drop_oldest(Session& s);
    void note_fullness(Session& s);
    void clear_flow(Session& s);
    void touch_output(Connection& c);
    void count_sent(Connection& c, size_t bytes);
    void flush(Connection& c);
    void flush_outputs();
    void flush_output(Connection& c);
    bool write_hooked(Connection& c, PacketBox& box);
    mqtt::Packet packet_of(const Publication& p, const session::Delivery& form, mqtt::PacketId id) const;

    // --- messages in flight (flows.cpp) ---
    mqtt::PacketId begin_flow(Session& s, session::Delivery&& delivery);
    void end_flow(Session& s, mqtt::PacketId id, session::Inflight::Entry& entry);
    void release_message(Session& s, session::Inflight::Entry& entry);
    void leave_flight(const session::Delivery& delivery);
    void settle_inflight();
    bool has_flight_room(const session::Flow& flow, size_t bytes) const;

    // --- what does not reach its receiver (drops.cpp) ---
    void drop(Session& s, const Publication& p, const session::Delivery& form, DropCause cause);
    void drop(Session& s, const session::Delivery& delivery, DropCause cause);
    void drop_inflight(Session& s, const session::Delivery& delivery, mqtt::PacketId id);

    // --- what waits for the stores (held.cpp) ---
    void close_round();
    void finish_flow(Session& s, mqtt::PacketId id);
    void finish_rounds();
    void check_store_backlog(Connection& c);
    void wait_for_store(Connection& c);
    void continue_store_waiter(uint64_t handle);
    void resume_store_waiters();
    void wake_store_waiters();
    void hold(Connection& c, Held held);
    void hold_flow(Connection& c, Session& s, Held::Kind kind, mqtt::PacketId id);
    void cork(Connection& c);
    void release_held(Held& held, const Round& round);
    void release_flow(Connection* c, const Held& held);
    void refuse_held(Connection& c, Held& held, const Round& round);
    void refuse_unstored(Connection& c, const Round& round);

    // --- queues that only the stores hold (paging.cpp) ---
    session::Delivery delivery_of(const hooks::StoredMessage& record);
    bool goes_to_tail(const Session& s, const session::Delivery& delivery) const;
    void add_to_tail(Session& s, const session::Delivery& delivery);
    void drop_tail(Session& s);
    size_t queue_length(const Session& s) const;
    uint64_t queue_bytes(const Session& s) const;
    void fetch_page(Session& s);
    uint64_t begin_load(const Session& s, uint64_t after);
    void take_page(Session& s, const hooks::Load& load);
    void trim_queue(Session& s);
    bool wait_for_stored_session(Connection& c, Ref<PacketBox>& box, Session* s);
    void session_came(const PendingLoad& pending);
    void take_session(const hooks::Load& load);
    Result<void> restore_flow(Session& s, const hooks::StoredMessage& record);

    // --- what expires in them (sweeps.cpp) ---
    bool expire_tail(Session& s);
    void forget_in_tail(Session& s, uint64_t position, uint64_t footprint);
    void begin_sweep(Session& s);
    void take_sweep(Session& s, const hooks::Load& load);

    // --- back-pressure (backpressure.cpp) ---
    bool over_high_mark(const Connection& c) const;
    bool below_low_mark(const Connection& c) const;
    uint64_t slack_mark() const;
    bool over_slack(const Connection& c) const;
    void check_congestion(Connection& c, Source source);
    void begin_congestion(Connection& c);
    void end_congestion(Connection& c);
    void note_taken(Connection& c, size_t bytes);
    void note_acknowledged(Connection& c);
    void note_progress(Connection& c);
    void check_receiver(Connection& c);
    void give_up(Connection& c);
    void check_own_output(Connection& c);
    void relieve(Connection& c);
    void ask_to_wait(uint64_t publisher, Connection& receiver);
    void ask_waiters(Connection& receiver);
    void release_waiters(Connection& receiver);

    // --- publishers that are not read meanwhile (waiting.cpp) ---
    void pause(Connection& c);
    void resume(Connection& c);
    Waiting& waiting_of(Connection& c);
    void begin_waiting(Connection& c, uint64_t receiver, bool idle, uint64_t room);
    void stop_waiting(Connection& c, uint64_t receiver);
    void go_on_if_free(Connection& c);
    void hold_back(Connection& c);
    void let_read(Connection& c);
    void note_pulse(Connection& c, size_t bytes);
    void waiting_due(Connection& c);

    // --- hand-over to other shards (handover.cpp) ---
    void hand_over_message(unsigned shard, Publication& p, Source source);
    void hand_over_run(unsigned shard, const Run& run);
    void hand_over_targeted(topics::SubscriberId target, topics::SubscriptionOptions options,
                            Ref<session::ShareName> share, Publication& p, Source source,
                            std::string_view client_id = {});
    void check_handover(unsigned shard, Source source);
    void post(unsigned shard, std::function<void(Shard&)> task);
    void flush_outboxes();
    void post_notice(unsigned shard, std::function<void(Shard&)> task);
    void read_lanes();
    void read_batch(MailBatch& batch, MailTurn& turn);
    bool read_one(MailBatch& batch);
    void read_task(MailBatch& batch, MailTurn& turn);
    void add_to_lane(MailBatch& batch, uint64_t publisher, bool costly);
    void wait_for_lane(uint64_t handle, unsigned shard, bool waits);
    void run_ready_tasks();
    void finish_lanes();
    void confirm_what_was_read(MailBatch& batch, uint32_t before);
    void announce_part(const MailBatch& batch);
    uint64_t mail_done() const;
    bool accept_mail(MailBatch& batch, Mail& mail);
    void confirm_batch(MailBatch& batch);
    void finish_batch(MailBatch& batch);
    bool accept_run(const Run& run, bool one_topic, uint32_t& done);

    // --- messages on their way to another shard, as they are stored (handover_log.cpp) ---
    Ref<hooks::Client> handover_log(unsigned from, unsigned to) const;
    uint64_t log_handover(unsigned shard, Publication& p, uint8_t qos, std::string receiver = {});
    void forget_handover(unsigned from, uint64_t position);
    void replay(const hooks::StoredMessage& record, const HandoverLog& log);
    template <typename F>
    bool replay_here(const session::Delivery& stored, F&& receives);
    void replay_to(uint64_t subscriber, topics::SubscriptionOptions options, const session::Delivery& stored);

    // --- retained messages (retained.cpp) ---
    bool may_be_retained(std::string_view topic, unsigned owner) const;
    void retain_unanswered(Publication& p, hooks::Client& client, PacketBox& box);
    void ask_retained(Connection& c, Inbound& in, unsigned owner);
    void take_retained(const mqtt::MessageRef& message, bool has_room);
    bool retain_message(Publication& p, hooks::Client* client, PacketBox* box);

    // --- their way to new subscribers (replaying.cpp) ---
    void start_replay(Session& s, std::string_view topic_filter, topics::SubscriptionOptions options);
    bool held_back(const Session& s) const;
    /// The client took some of what it was given.
    void wake_replays(Session& s);
    /// Some may have ended.
    void replays_changed(const Session& s);
    void run_replays();
    void replay_own_store();
    void ask_store(unsigned store);
    void answer_replays(std::vector<ReplayAsk>& asks);
    void take_answers(unsigned store, std::vector<ReplayAsk>& asks);
    void deliver_replayed(Session& s, uint64_t number, topics::SubscriptionOptions options,
                          const std::vector<mqtt::MessageRef>& messages);
    size_t expire_retained();

    // --- lines in the log (connection_log.cpp) ---
    void log_connected(const Connection& c, bool session_present) const;
    void log_end(const Connection& c, const CloseCause& cause);

    // --- ends (closing.cpp) ---
    void close(Connection& c, const CloseCause& cause);
    void protocol_error(Connection& c, const mqtt::DecodeError& error);
    void protocol_error(Connection& c, Reason reason, const char* statement, const char* text);
    void end_session_part(Connection& c, const CloseCause& cause);
    void finish_if_drained(Connection& c);
    void forget(Connection& c);
    void end_session(Session& s, bool expired);
    void cancel_suspension(Connection& c);

    // --- wills (wills.cpp) ---
    void settle_will(Session& s, bool session_ends);
    void begin_will(hooks::Client& client, Ref<PacketBox> box, size_t position);
    Ref<PacketBox> box_will(const hooks::Client& client, const mqtt::Will& will) const;
    void send_will(hooks::Client& client, PacketBox& box);

    // --- deadlines (deadlines.cpp) ---
    void schedule(Connection& c, int64_t at_ms);
    void schedule(Session& s, int64_t at_ms);
    int64_t deadline_of(const Connection& c) const;
    int64_t deadline_of(const Session& s) const;
    void connection_due(Connection& c);
    void session_due(Session& s);
    void expire_queue(Session& s);

    // --- deferrals (deferrals.cpp) ---
    void apply_verdict(PendingVerdict pending);
    void deferral_due(uint64_t number);
    void suspend(Connection& c, Suspension state, Ref<hooks::Deferral> deferral);
    void continue_step(Connection& c, Suspension state, const hooks::DeferralResult& result, bool in_time);
    void continue_input(Connection& c, std::deque<Ref<PacketBox>> waiting);

    // --- $SYS (sys_topics.cpp) ---
    void publish_sys_topics();
    std::unordered_map<std::string, std::string> sys_values_;  ///< as published last, by the end of the topic

    // --- hooks (events.cpp) ---
    bool wants(EventId id) const { return here_.wants(id); }
    void packet_processed(Connection& c, PacketBox* box, Reason reason);

    // --- messages of inline clients (inline_input.cpp) ---
    void take_inline(const Ref<hooks::Client>& client, Packet packet);
    void begin_inline(const Ref<hooks::Client>& client, Ref<PacketBox> box, size_t position);
    void finish_inline(const Ref<hooks::Client>& client, const Ref<PacketBox>& box, hooks::Action action);
    void inline_verdict(PendingVerdict& pending);
    void forget_inline_inputs();
    void inject_inline(hooks::Client& client, Packet packet);

    Here here_;
    std::unordered_map<const hooks::Client*, InlineInput> inline_inputs_;  ///< of clients whose message waits
    Clients clients_;
    ChunkPool chunks_;
    RouteCache routes_;
    Route passing_route_;  ///< of one publish, when it is not worth keeping
    topics::Matches matches_;
    Timers timers_;
    Verdicts verdicts_;
    RetainedShelf shelf_;
    Loads loads_;
    DeliveryShare share_;
    const size_t flushes_;
    bool wide_ = false;                   ///< a message to very many receivers is being delivered
    std::vector<Connection*> dirty_;      ///< outputs to flush in this round
    std::deque<uint64_t> late_;           ///< connections whose outputs are flushed by and by
    std::vector<uint64_t> ready_takers_;  ///< connections whose take-over may go on
    WaitingConnects connects_;
    std::deque<uint64_t> half_closed_;  ///< connections whose clients send no more
    void finish_half_closed();
    std::deque<Departure> departures_;
    std::deque<uint64_t> inputs_;  ///< connections whose input goes on
    std::deque<uint64_t> turns_;   ///< connections whose SUBSCRIBE or UNSUBSCRIBE goes on
    static constexpr size_t kFiltersPerRound = 1024;
    size_t filters_left_ = kFiltersPerRound;
    Outboxes outboxes_;
    Ledger ledger_;
    Replays replays_;
    static const topics::RetainedStore::Budget kReplayWork;  ///< of a round, or a request
    topics::RetainedStore::Budget first_pieces_;  ///< left in this round for what goes along with SUBACK
    uint64_t mail_read_ = 0;                      ///< batches of the mailbox, but for what is in lanes_
    MailLanes lanes_;
    std::vector<Ref<hooks::Client>> handover_logs_;  ///< to each shard; null = not stored yet
    std::vector<Ref<hooks::Client>> arrived_logs_;   ///< from each shard
    std::vector<uint64_t> store_waiters_;            ///< handles of connections not read for the stores' sake
    unsigned sweeps_ = 0;                            ///< under way
    std::vector<uint8_t> scratch_;                   ///< another form of a run
    std::vector<uint8_t> encode_buffer_;
    std::vector<uint8_t> forward_buffer_;
    LogLimiters limited_;
    int64_t inflight_change_ = 0;  ///< not yet in Core::inflight_bytes
    bool inflight_full_ = false;   ///< all sessions together hold as much as they may
    size_t congested_ = 0;         ///< receivers of this shard that are full
    bool shutting_down_ = false;
    bool overdue_ = false;  ///< of the deadlines, some are due already
};

}  // namespace comqtt::broker

#include "broker/shard_inline.hpp"
