#include <cstdint>

#include "measure.hpp"
#include "scenarios.hpp"

namespace comqtt::bench {
namespace {

struct Moment {
    Snapshot snapshot;
    std::uint64_t acknowledged = 0;
    std::uint64_t written_bytes = 0;
};

Moment take_moment(const Options& options, const Traffic& traffic) {
    return {take_snapshot(options, traffic.delivered()), traffic.acknowledged(),
            process_written_bytes(options.broker_pid)};
}

struct Latencies {
    Histogram acknowledged;
    Histogram delivered;

    void start(Traffic& traffic) {
        traffic.set_ack_histogram(&acknowledged);
        traffic.set_histogram(&delivered);
    }
};

void report_moments(const Options& options, const Moment& from, const Moment& to, Report& report) {
    const std::uint64_t acknowledged = to.acknowledged - from.acknowledged;
    report.add("acknowledged", acknowledged);
    report.add("acknowledged_per_s", per_second(acknowledged, to.snapshot.time_ns - from.snapshot.time_ns));
    if (options.offline) {
        report_costs(from.snapshot, to.snapshot, acknowledged, report);
    } else {
        report_interval(from.snapshot, to.snapshot, report);
    }
    const auto written = static_cast<double>(to.written_bytes - from.written_bytes);
    report.add("broker_written_bytes_per_msg",
               acknowledged == 0 ? 0.0 : written / static_cast<double>(acknowledged));
}

// With `offline`: the subscribers come back to all that was acknowledged.
bool finish(const Options& options, Traffic& traffic, Report& report) {
    if (!options.offline) return traffic.drain();
    traffic.run_for(options.cutoff, [&] { return traffic.acknowledged() == traffic.sent(); });
    const std::uint64_t from = now_ns();
    traffic.return_subscribers();
    const bool drained = traffic.drain();
    const std::uint64_t ns = traffic.last_progress_ns() - from;
    report.add("returned_seconds", ns_to_seconds(ns));
    report.add("returned_per_s", per_second(traffic.delivered(), ns));
    return drained;
}

}  // namespace

// Latencies count from the intended send time where a rate is given, else from the sending.
void run_durable(const Options& options, Report& report) {
    Traffic traffic(options);
    report_head(options, traffic, report);
    Latencies discarded;
    Latencies latencies;
    discarded.start(traffic);
    if (options.rate != 0) {
        traffic.pace_by_rate(options.rate);
    } else {
        traffic.pace_by_window(0);
    }
    traffic.run_for(options.warmup);
    latencies.start(traffic);
    const Moment from = take_moment(options, traffic);
    traffic.run_for(options.duration);
    const Moment to = take_moment(options, traffic);
    traffic.stop();
    report.add("rate", options.rate);
    report.add("window_per_publisher", traffic.window_per_publisher());
    report_moments(options, from, to, report);
    const bool drained = finish(options, traffic, report);
    report.add_latency("ack_", latencies.acknowledged);
    if (!options.offline) report.add_latency("", latencies.delivered);
    report.add("drained", drained);
    report_delivery(traffic, report);
    report.add("broker_rss_bytes", process_rss_bytes(options.broker_pid));
    report.add("broker_peak_rss_bytes", process_peak_rss_bytes(options.broker_pid));
    traffic.forget_sessions();
}

}  // namespace comqtt::bench
