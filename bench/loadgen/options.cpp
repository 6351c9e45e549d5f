#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "stamp.hpp"

namespace comqtt::bench {
namespace {

template <typename T>
T number(std::string_view name, std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument(std::string(name) + ": not a number: " + std::string(text));
    }
    return value;
}

struct Flag {
    std::string_view name;
    std::string_view help;
    bool has_value;
    std::function<void(Options&, std::string_view)> set;
};

template <typename T>
Flag value_flag(std::string_view name, T Options::*member, std::string_view help) {
    return {name, help, true, [name, member](Options& o, std::string_view text) {
                if constexpr (std::is_same_v<T, std::string>) {
                    o.*member = std::string(text);
                } else {
                    o.*member = number<T>(name, text);
                }
            }};
}

Flag switch_flag(std::string_view name, bool Options::*member, std::string_view help) {
    return {name, help, false, [member](Options& o, std::string_view) { o.*member = true; }};
}

const std::vector<Flag>& flags() {
    static const std::vector<Flag> table = {
        value_flag("--scenario", &Options::scenario,
                   "pair pairs fanout fanin wildcard shared latency flood connect idle retained "
                   "durable"),
        value_flag("--host", &Options::host, "IPv4 address of the broker (127.0.0.1)"),
        value_flag("--port", &Options::port, "its port (1883)"),
        value_flag("--protocol", &Options::protocol, "4 (MQTT 3.1.1) or 5 (4)"),
        value_flag("--qos", &Options::qos, "0, 1 or 2 (0; durable 1)"),
        value_flag("--size", &Options::size, "payload bytes, at least 24 (64)"),
        value_flag("--clients", &Options::clients, "subscribers, members, connections"),
        value_flag("--pairs", &Options::clients, "the same as --clients"),
        value_flag("--publishers", &Options::publishers, "of wildcard and shared (1)"),
        value_flag("--filters", &Options::filters, "wildcard filters of each client (1000)"),
        value_flag("--leaves", &Options::leaves, "topics below each filter, 1 to 10 (4)"),
        value_flag("--window", &Options::window,
                   "QoS 0: undelivered in all (20000, at most 8 MiB); "
                   "QoS 1, 2: unacknowledged per publisher (100; durable 20)"),
        value_flag("--min-batch", &Options::min_batch,
                   "publish when so many are allowed (a quarter of a publisher's window)"),
        value_flag("--warmup", &Options::warmup, "seconds before measuring (0.5)"),
        value_flag("--duration", &Options::duration, "seconds of measuring (3; flood 1.5)"),
        value_flag("--messages", &Options::messages, "publish this many instead of --duration"),
        value_flag("--rate", &Options::rate,
                   "messages/s in all (latency 20000, retained 5000; "
                   "durable: what the window allows)"),
        value_flag("--settle", &Options::settle, "seconds before memory is read (1.5)"),
        value_flag("--drain-idle", &Options::drain_idle, "stop waiting after silence (2)"),
        value_flag("--cutoff", &Options::cutoff, "stop waiting in any case (30)"),
        value_flag("--retained", &Options::retained, "retained messages (1000000)"),
        value_flag("--concurrency", &Options::concurrency, "connects under way at once (64)"),
        value_flag("--broker-pid", &Options::broker_pid, "process whose CPU and memory to read"),
        switch_flag("--persistent", &Options::persistent,
                    "the subscribers' sessions outlive their connections (durable)"),
        switch_flag("--offline", &Options::offline,
                    "durable: the subscribers are away until all is acknowledged"),
        switch_flag("--spin", &Options::spin, "poll without sleeping (latency)"),
        switch_flag("--json", &Options::json, "one JSON object on stdout, the line on stderr"),
    };
    return table;
}

std::size_t default_clients(const std::string& scenario) {
    if (scenario == "pair") return 1;
    if (scenario == "latency" || scenario == "flood") return 10;
    if (scenario == "connect" || scenario == "idle") return 5000;
    return 100;
}

// 20,000 messages, or what 8 MiB hold: large enough that both sides work in batches, small
// enough that no broker has a reason to drop.
std::size_t default_window(const Options& o) {
    if (o.qos > 0) return o.scenario == "durable" ? 20 : 100;
    constexpr std::size_t kMessages = 20'000;
    constexpr std::size_t kWindowBytes = 8u << 20;
    return std::min(kMessages, std::max<std::size_t>(1, kWindowBytes / o.size));
}

void check(bool good, const char* text) {
    if (!good) throw std::invalid_argument(text);
}

void finish_options(Options& o, bool duration_given) {
    if (o.scenario == "pair") o.clients = 1;
    const bool durable = o.scenario == "durable";
    if (o.offline)
        o.drain_idle = std::max(o.drain_idle, 10.0);  // a store may commit for long before it answers
    if (durable) {
        o.persistent = true;
        if (o.qos == 0) o.qos = 1;
    }
    if (o.clients == 0) o.clients = default_clients(o.scenario);
    if (o.publishers == 0) o.publishers = 1;
    if (o.window == 0) o.window = default_window(o);
    if (o.rate == 0 && !durable) o.rate = o.scenario == "retained" ? 5000 : 20'000;
    if (o.scenario == "flood") {
        o.warmup = 0;
        if (!duration_given) o.duration = 1.5;
    }
    check(durable || !o.offline, "--offline is for durable");
    check(o.qos >= 0 && o.qos <= 2, "--qos is 0, 1 or 2");
    check(o.protocol == 4 || o.protocol == 5, "--protocol is 4 or 5");
    check(o.size >= kStampSize && o.size <= (128u << 20), "--size is 24 bytes to 128 MiB");
    check(o.qos == 0 || o.window <= 65'000, "--window is at most 65000 with QoS 1 and 2");
    check(o.leaves >= 1 && o.leaves <= 10, "--leaves is 1 to 10");
    check(o.filters >= 1 && o.filters <= 10'000, "--filters is 1 to 10000");
    check(o.clients <= 100'000 && o.publishers <= 10'000, "too many clients");
    check(o.scenario != "wildcard" || o.clients <= 10'000, "wildcard: --clients up to 10000");
    check(o.retained >= 1 && o.retained <= 10'000'000, "--retained is 1 to 10000000");
    check(o.concurrency >= 1, "--concurrency is at least 1");
    check(o.rate > 0 || (durable && o.rate == 0), "--rate is above 0");
}

}  // namespace

Options parse_options(int argc, char** argv) {
    Options options;
    bool duration_given = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        const auto flag =
            std::find_if(flags().begin(), flags().end(), [&](const Flag& f) { return f.name == name; });
        if (flag == flags().end()) {
            throw std::invalid_argument("no such flag: " + std::string(name));
        }
        if (flag->has_value && i + 1 == argc) {
            throw std::invalid_argument(std::string(name) + " wants a value");
        }
        duration_given = duration_given || name == "--duration";
        flag->set(options, flag->has_value ? argv[++i] : "");
    }
    finish_options(options, duration_given);
    return options;
}

std::string usage() {
    std::string text = "usage: comqtt_loadgen --scenario NAME [flags]\n";
    for (const Flag& flag : flags()) {
        text += "  " + std::string(flag.name);
        text.append(flag.name.size() < 16 ? 16 - flag.name.size() : 1, ' ');
        text += std::string(flag.help) + "\n";
    }
    return text;
}

}  // namespace comqtt::bench
