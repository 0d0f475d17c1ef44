// What a sweep came to: which lag is learned where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/run/sweep_options.h>
#include <unroll/run/sweep_rows.h>

namespace unroll {

/// How many seeds have learned a lag.
struct SweepLagCount {
  std::int64_t lag = 0;
  std::int64_t learned = 0;
  std::int64_t partly = 0;
};

/// The cells that differ in nothing but their seeds.
struct SweepGroup {
  std::int64_t num_steps = 0;
  std::int64_t hidden_size = 0;
  double learning_rate = 0.0;
  std::int64_t seeds = 0;
  std::int64_t diverged = 0;  ///< of these seeds
  /// The mean over the seeds that did not diverge, in nats; none if all did.
  std::optional<double> held_out_loss;
  std::vector<SweepLagCount> lags;  ///< in the process's order
};

struct SweepSummary {
  std::string directory;
  SweepConfig config;
  LaggedProcess process = LaggedProcess::tutorial();
  std::vector<SweepRow> rows;      ///< of every cell, in the grid's order
  std::vector<SweepGroup> groups;  ///< likewise, seeds put together

  /// The group of these values, each of which the grid has.
  [[nodiscard]] const SweepGroup& group(std::int64_t num_steps, std::int64_t hidden_size,
                                        double learning_rate) const;

  /// One JSON object, indented, with a final newline.
  [[nodiscard]] std::string to_json() const;
};

/// Puts the rows of a whole grid, in its order, together.
SweepSummary summarize_sweep(std::string directory, SweepConfig config, std::vector<SweepRow> rows);

}  // namespace unroll
