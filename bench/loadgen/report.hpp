#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "histogram.hpp"

namespace comqtt::bench {

// The figures of one run, in the order they were added: one JSON object for programs and one
// line for people.
class Report {
public:
    void add(std::string_view name, std::string_view text);
    void add(std::string_view name, double value);
    void add(std::string_view name, std::integral auto value) {
        fields_.emplace_back(name, std::to_string(value));
    }
    // p50, p90, p99, p99.9, max in microseconds, and the number of samples.
    void add_latency(std::string_view prefix, const Histogram& histogram);

    std::string json() const;
    std::string line() const;

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace comqtt::bench
