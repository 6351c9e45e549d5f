#include <algorithm>
#include <cstdint>

#include "measure.hpp"
#include "scenarios.hpp"

namespace comqtt::bench {
namespace {

struct StreamTotals {
    std::uint64_t unique = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t corrupt = 0;

    void add(const StreamCheck& check) {
        unique += check.unique();
        duplicated += check.duplicated();
        reordered += check.reordered();
        corrupt += check.corrupt();
    }
};

// How evenly the members of a shared group were served.
void report_fairness(const Traffic& traffic, Report& report) {
    std::uint64_t least = ~0ULL;
    std::uint64_t most = 0;
    double sum = 0;
    double squares = 0;
    for (const auto& member : traffic.subscribers()) {
        const std::uint64_t count = member->received();
        least = std::min(least, count);
        most = std::max(most, count);
        sum += static_cast<double>(count);
        squares += static_cast<double>(count) * static_cast<double>(count);
    }
    const auto members = static_cast<double>(traffic.subscribers().size());
    report.add("member_least", least);
    report.add("member_most", most);
    report.add("fairness", squares == 0 ? 0 : sum * sum / (members * squares));
}

Snapshot snapshot(const Options& options, const Traffic& traffic) {
    return take_snapshot(options, traffic.delivered());
}

// From the first message to the last one that arrives.
void run_to_the_end(const Options& options, Traffic& traffic, Report& report) {
    const Snapshot from = snapshot(options, traffic);
    traffic.pace_by_window(options.messages);
    if (options.messages != 0) {
        const std::uint64_t wanted = options.messages;
        traffic.run_for(options.cutoff, [&] { return traffic.sent() >= wanted; });
    } else {
        traffic.run_for(options.duration);
    }
    traffic.stop();
    const std::uint64_t sent_at = now_ns();
    const bool complete = traffic.drain();
    Snapshot to = snapshot(options, traffic);
    if (!complete) to.time_ns = std::max(sent_at, traffic.last_progress_ns());
    report_interval(from, to, report);
    report.add("publish_per_s", per_second(traffic.sent(), sent_at - from.time_ns));
    report.add("drain_seconds", ns_to_seconds(to.time_ns - sent_at));
    report.add("drained", complete);
}

// A steady interval after a warm-up.
void run_interval(const Options& options, Traffic& traffic, Report& report) {
    traffic.pace_by_window(0);
    traffic.run_for(options.warmup);
    const Snapshot from = snapshot(options, traffic);
    traffic.run_for(options.duration);
    const Snapshot to = snapshot(options, traffic);
    traffic.stop();
    report.add("window_per_publisher", traffic.window_per_publisher());
    report_interval(from, to, report);
    report.add("drained", traffic.drain());
}

}  // namespace

void report_interval(const Snapshot& from, const Snapshot& to, Report& report) {
    const std::uint64_t delivered = to.delivered - from.delivered;
    const std::uint64_t ns = to.time_ns - from.time_ns;
    report.add("seconds", ns_to_seconds(ns));
    report.add("delivered", delivered);
    report.add("delivered_per_s", per_second(delivered, ns));
    report_costs(from, to, delivered, report);
}

void report_costs(const Snapshot& from, const Snapshot& to, std::uint64_t messages, Report& report) {
    const std::uint64_t ns = to.time_ns - from.time_ns;
    const auto each = [&](std::uint64_t calls) {
        return messages == 0 ? 0.0 : static_cast<double>(calls) / static_cast<double>(messages);
    };
    report.add("broker_us_per_msg", us_each(to.broker_cpu_ns - from.broker_cpu_ns, messages));
    report.add("broker_cpu_share", static_cast<double>(to.broker_cpu_ns - from.broker_cpu_ns) /
                                       static_cast<double>(std::max<std::uint64_t>(1, ns)));
    report.add("loadgen_us_per_msg", us_each(to.own_cpu_ns - from.own_cpu_ns, messages));
    report.add("loadgen_reads_per_msg", each(to.calls.reads - from.calls.reads));
    report.add("loadgen_writes_per_msg", each(to.calls.writes - from.calls.writes));
}

void report_head(const Options& options, const Traffic& traffic, Report& report) {
    report.add("publishers", traffic.publishers().size());
    report.add("subscribers", traffic.subscribers().size());
    if (options.scenario == "wildcard") {
        report.add("filters", options.clients * options.filters);
        report.add("topics", options.clients * options.filters * options.leaves);
    }
}

void report_delivery(const Traffic& traffic, Report& report) {
    StreamTotals totals;
    std::uint64_t unknown = 0;
    std::uint64_t reordered_in_group = 0;
    std::uint64_t bad_acks = 0;
    std::uint64_t unacknowledged = 0;
    const bool shared = !traffic.group_checks().empty();
    for (const auto& subscriber : traffic.subscribers()) {
        unknown += subscriber->unknown();
        reordered_in_group += subscriber->reordered_in_group();
        if (shared) continue;
        for (const StreamCheck& check : subscriber->checks()) totals.add(check);
    }
    for (const StreamCheck& check : traffic.group_checks()) totals.add(check);
    for (const auto& publisher : traffic.publishers()) {
        bad_acks += publisher->bad_acks();
        unacknowledged += publisher->unacknowledged();
    }
    const std::uint64_t expected = traffic.expected();
    const std::uint64_t lost = expected - std::min(expected, totals.unique);
    report.add("sent", traffic.sent());
    report.add("expected", expected);
    report.add("lost", lost);
    report.add("lost_percent",
               expected == 0 ? 0 : 100.0 * static_cast<double>(lost) / static_cast<double>(expected));
    report.add("duplicated", totals.duplicated);
    report.add("reordered", shared ? reordered_in_group : totals.reordered);
    report.add("corrupt", totals.corrupt + unknown);
    report.add("unacknowledged", unacknowledged);
    report.add("bad_acks", bad_acks);
    report.add("stalls", traffic.stalls());
    report.add("disconnects", traffic.disconnects());
}

void run_traffic(const Options& options, Report& report) {
    Traffic traffic(options);
    report_head(options, traffic, report);
    if (options.scenario == "flood" || options.messages != 0) {
        run_to_the_end(options, traffic, report);
    } else {
        run_interval(options, traffic, report);
    }
    report_delivery(traffic, report);
    if (options.persistent) traffic.forget_sessions();
    if (options.scenario == "shared") report_fairness(traffic, report);
    report.add("broker_rss_bytes", process_rss_bytes(options.broker_pid));
    report.add("broker_peak_rss_bytes", process_peak_rss_bytes(options.broker_pid));
}

void run_latency(const Options& options, Report& report) {
    Traffic traffic(options);
    report_head(options, traffic, report);
    Histogram discarded;
    Histogram histogram;
    traffic.set_histogram(&discarded);
    traffic.pace_by_rate(options.rate);
    traffic.run_for(options.warmup);
    traffic.set_histogram(&histogram);
    const Snapshot from = snapshot(options, traffic);
    traffic.run_for(options.duration);
    const Snapshot to = snapshot(options, traffic);
    traffic.stop();
    const bool drained = traffic.drain();
    report.add("rate", options.rate);
    report.add_latency("", histogram);
    report_interval(from, to, report);
    report.add("drained", drained);
    report_delivery(traffic, report);
    if (options.persistent) traffic.forget_sessions();
}

}  // namespace comqtt::bench
