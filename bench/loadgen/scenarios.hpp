#pragma once

#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"
#include "traffic.hpp"

namespace comqtt::bench {

// pair, pairs, fanout, fanin, wildcard, shared, flood: how fast, at what cost, what was lost.
void run_traffic(const Options& options, Report& report);

// Fixed rate, time from the intended send time to arrival.
void run_latency(const Options& options, Report& report);

// Many connections at once: connects per second; with `idle` also the memory they hold.
void run_connect(const Options& options, Report& report);

// Many retained messages, one '#' subscriber, and what a third party notices of it.
void run_retained(const Options& options, Report& report);

// Sessions that outlive their connections: what the broker acknowledges, how fast and how soon.
void run_durable(const Options& options, Report& report);

// Numbers of clients.
void report_head(const Options& options, const Traffic& traffic, Report& report);

// Rates and costs of a measured interval.
void report_interval(const Snapshot& from, const Snapshot& to, Report& report);

// Its costs for each of so many messages.
void report_costs(const Snapshot& from, const Snapshot& to, std::uint64_t messages, Report& report);

// Lost, duplicated, reordered and other irregularities, after the run was drained.
void report_delivery(const Traffic& traffic, Report& report);

}  // namespace comqtt::bench
