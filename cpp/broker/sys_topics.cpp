// $SYS topics, retained; each interval those whose values have changed.

#include <fmt/format.h>

#include "base/version.hpp"
#include "broker/shard.hpp"
#include "broker/snapshot.hpp"

namespace comqtt::broker {

void Shard::start() {
    begin_round();
    if (here_.core().config.sys_topic_resend_interval_s) publish_sys_topics();
    here_.notify(EventId::on_started, nullptr, nullptr,
                 [](hooks::Hook& hook, hooks::Event& event) { hook.on_started(event); });
}

void Shard::finish() {
    here_.notify(EventId::on_stopped, nullptr, nullptr,
                 [](hooks::Hook& hook, hooks::Event& event) { hook.on_stopped(event); });
}

void Shard::publish_sys_topics() {
    const int64_t interval = int64_t{here_.core().config.sys_topic_resend_interval_s} * 1000;
    timers_.at(Timers::Kind::sys_topics, 0, here_.now_ms() + interval);
    const MetricsSnapshot now = take_snapshot(here_.core());
    if (here_.core().sys_values_cleared.exchange(false, std::memory_order_relaxed)) sys_values_.clear();
    const auto send = [&](std::string_view name, std::string_view value) {
        std::string& sent = sys_values_[std::string(name)];
        if (sent == value) return;  // a new subscriber gets the retained one
        sent = value;
        const std::string topic = fmt::format("$SYS/broker/{}", name);
        mqtt::PublishView view;
        view.topic_name = ByteView(topic);
        view.payload = ByteView(value);
        Publication p = Publication::of(view, here_, 0, {});
        p.retain = true;  // whatever clients may
        retain_message(p, nullptr, nullptr);
        publish(p, {}, nullptr, nullptr);
    };
    const auto number = [&](std::string_view name, int64_t value) { send(name, fmt::format("{}", value)); };
    send("version", kVersionText);
    number("time", now.time_s);
    number("started", now.started_s);
    number("uptime", now.uptime_s);
    number("load/bytes/received", now.bytes_received);
    number("load/bytes/sent", now.bytes_sent);
    number("clients/connected", now.clients_connected);
    number("clients/disconnected", now.clients_disconnected);
    number("clients/maximum", now.clients_maximum);
    number("clients/total", now.clients_total);
    number("packets/received", now.packets_received);
    number("packets/sent", now.packets_sent);
    number("messages/received", now.messages_received);
    number("messages/sent", now.messages_sent);
    number("messages/dropped", now.messages_dropped);
    number("messages/inflight", now.inflight);
    number("retained", now.retained);
    number("subscriptions", now.subscriptions);
    number("system/memory", now.memory_alloc);
    number("system/threads", now.threads);
    here_.notify(EventId::on_sys_info_tick, nullptr, nullptr,
                 [&](hooks::Hook& hook, hooks::Event& event) { hook.on_sys_info_tick(event, now); });
}

}  // namespace comqtt::broker
