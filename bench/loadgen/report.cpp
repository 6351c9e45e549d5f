#include "report.hpp"

#include <cmath>
#include <cstdio>

namespace comqtt::bench {

// The texts are names chosen by this program: nothing to escape but what would break a line.
void Report::add(std::string_view name, std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    fields_.emplace_back(name, quoted + '"');
}

void Report::add(std::string_view name, double value) {
    char text[48];
    const char* form = std::fabs(value) < 1000 ? "%.5g" : "%.0f";
    std::snprintf(text, sizeof text, form, std::isfinite(value) ? value : 0.0);
    fields_.emplace_back(name, text);
}

void Report::add_latency(std::string_view prefix, const Histogram& histogram) {
    const auto add_us = [&](const char* name, std::uint64_t ns) {
        add(std::string(prefix) + name, static_cast<double>(ns) / 1000.0);
    };
    add_us("p50_us", histogram.percentile(0.50));
    add_us("p90_us", histogram.percentile(0.90));
    add_us("p99_us", histogram.percentile(0.99));
    add_us("p999_us", histogram.percentile(0.999));
    add_us("max_us", histogram.max());
    add(std::string(prefix) + "samples", histogram.count());
}

std::string Report::json() const {
    std::string text = "{";
    for (const auto& [name, value] : fields_) {
        if (text.size() > 1) text += ", ";
        text += '"' + name + "\": " + value;
    }
    return text + "}";
}

std::string Report::line() const {
    std::string text;
    for (const auto& [name, value] : fields_) {
        if (!text.empty()) text += ' ';
        text += name + '=' + value;
    }
    return text;
}

}  // namespace comqtt::bench
