#include <algorithm>
#include <cmath>

#include "handshake.hpp"
#include "measure.hpp"
#include "proc_stats.hpp"
#include "retained_reader.hpp"
#include "scenarios.hpp"

namespace comqtt::bench {
namespace {

constexpr double kPublishTimeout = 300;
constexpr std::size_t kRunBytes = 256u << 10;
constexpr std::size_t kLevelsAt = 9;  // within retained/0000/0000

void write_digits(std::uint8_t* out, std::size_t number) {
    for (std::size_t i = 4; i-- > 0; number /= 10) {
        out[i] = static_cast<std::uint8_t>('0' + number % 10);
    }
}

// Publishes retained/AAAA/BBBB with QoS 0, B within A, as fast as the broker reads.
void publish_retained(Connection& connection, const Options& options) {
    const auto per_level =
        static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(options.retained))));
    const PublishPacket packet =
        make_publish({"retained/0000/0000", options.size, 0, true, options.protocol});
    Bytes run;
    for (std::size_t i = 0; i < options.retained; ++i) {
        const std::size_t at = run.size();
        run.insert(run.end(), packet.bytes.begin(), packet.bytes.end());
        std::uint8_t* levels = run.data() + at + packet.topic_at + kLevelsAt;
        write_digits(levels, i / per_level);
        write_digits(levels + 5, i % per_level);
        write_stamp(run.data() + at + packet.payload_at, stream_key(kRetainedMagic, 0), i, 0);
        if (run.size() < kRunBytes && i + 1 < options.retained) continue;
        write_all(connection, run, kPublishTimeout);
        run.clear();
    }
    ping(connection, kPublishTimeout);
}

void store_retained(const Options& options, Report& report) {
    Opened publisher = open_client(options, "bench-retain");
    const std::uint64_t rss_before = process_rss_bytes(options.broker_pid);
    const Snapshot from = take_snapshot(options, 0);
    publish_retained(publisher.connection, options);
    const Snapshot to = take_snapshot(options, options.retained);
    const std::uint64_t rss = process_rss_bytes(options.broker_pid);
    const std::uint64_t grown = rss - std::min(rss, rss_before);
    report.add("retained", options.retained);
    report.add("publish_per_s", per_second(to.delivered, to.time_ns - from.time_ns));
    report.add("broker_us_per_publish", us_each(to.broker_cpu_ns - from.broker_cpu_ns, to.delivered));
    report.add("broker_rss_bytes", rss);
    report.add("rss_bytes_per_retained", static_cast<double>(grown) / static_cast<double>(options.retained));
}

// Subscribes without waiting for the SUBACK: the reader passes over it.
void subscribe_all(RetainedReader& reader, const Options& options) {
    const std::string filters[] = {"#"};
    reader.connection().send(make_subscribe(1, filters, options.qos, options.protocol));
}

void report_reader(const RetainedReader& reader, const Snapshot& from, const Snapshot& to, Report& report) {
    const std::uint64_t received = reader.received();
    const std::uint64_t last = reader.is_complete() ? reader.last_ns() : to.time_ns;
    const auto ms_until = [&](std::uint64_t t) {
        return t < from.time_ns ? 0.0 : static_cast<double>(t - from.time_ns) / 1e6;
    };
    report.add("received", received);
    report.add("duplicated", reader.duplicated());
    report.add("without_retain_flag", reader.without_flag());
    report.add("first_ms", ms_until(reader.first_ns()));
    report.add("all_seconds", ms_until(last) / 1000);
    report.add("delivered_per_s", per_second(received, last - from.time_ns));
    report.add("broker_us_per_msg", us_each(to.broker_cpu_ns - from.broker_cpu_ns, received));
}

}  // namespace

void run_retained(const Options& options, Report& report) {
    store_retained(options, report);
    Traffic live(options);
    Opened opened = open_client(options, "bench-all");
    RetainedReader reader(std::move(opened.connection), options.protocol, options.retained);
    live.add_client(reader);

    Histogram before;
    Histogram during;
    live.set_histogram(&before);
    live.pace_by_rate(options.rate);
    live.run_for(options.warmup);
    before.clear();
    live.run_for(options.duration);
    live.set_histogram(&during);

    const Snapshot from = take_snapshot(options, 0);
    subscribe_all(reader, options);
    live.run_for(options.cutoff, [&] { return reader.is_complete(); });
    const Snapshot to = take_snapshot(options, 0);
    live.stop();
    const bool drained = live.drain();

    report_reader(reader, from, to, report);
    report.add("rate", options.rate);
    report.add_latency("before_", before);
    report.add_latency("during_", during);
    report.add("drained", drained);
    report.add("live_expected", live.expected());
    report.add("live_delivered", live.delivered());
    report.add("live_seen_by_all", reader.live());
    report.add("disconnects", live.disconnects());
    report.add("broker_peak_rss_bytes", process_peak_rss_bytes(options.broker_pid));
}

}  // namespace comqtt::bench
