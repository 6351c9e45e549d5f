#pragma once

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

// Lost, duplicated, reordered and other irregularities, after the run was drained.
void report_delivery(const Traffic& traffic, Report& report);

}  // namespace comqtt::bench
