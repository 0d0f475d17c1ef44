// Runs for reports to tell of.
#pragma once

#include <unroll/run/metrics.h>
#include <unroll/run/summary.h>

#include <cstdint>
#include <string>
#include <vector>

namespace unroll::testing {

/// What the tutorial's process taught a network: lag 3, and of lag 8 little.
inline Evaluation an_evaluation() {
  return {.is_held_out = true,
          .symbols = 200'000,
          .loss = {.value = 0.5155, .standard_error = 0.001},
          .combinations = {{.inputs = {0, 0}, .probability = 0.46, .truth = 0.5, .count = 50'001},
                           {.inputs = {1, 0}, .probability = 0.89, .truth = 1.0, .count = 50'002},
                           {.inputs = {0, 1}, .probability = 0.41, .truth = 0.25, .count = 50'003},
                           {.inputs = {1, 1}, .probability = 0.83, .truth = 0.75, .count = 49'994}},
          .lags = {{.lag = 3,
                    .effect = {.value = 0.424, .standard_error = 0.0002},
                    .true_effect = 0.5,
                    .floor_without = 0.6277,
                    .learned = Learned::kYes},
                   {.lag = 8,
                    .effect = {.value = -0.06, .standard_error = 0.001},
                    .true_effect = -0.25,
                    .floor_without = 0.5192,
                    .learned = Learned::kPartly}},
          .profile = {{.lag = 0, .change = {.value = 0.01, .standard_error = 0.002}}}};
}

/// A run of two epochs on the tutorial's process.
inline Summary a_summary() {
  return {.model = "manual",
          .engine = "fused",
          .device = "cpu",
          .dtype = "float32",
          .seed = 7,
          .epochs = 2,
          .windows = 2'000,
          .final_loss = 0.53,
          .last_epoch_loss = 0.5171,
          .baseline = 0.66156,
          .seconds = 1.25,
          .data_seconds = 0.25,
          .train_seconds = 0.5,
          .floors = LaggedProcess::tutorial().floors(10),
          .num_steps = 10,
          .evaluation = an_evaluation(),
          .run_directory = "runs/mine"};
}

/// A run on a user's own series of two classes.
inline Summary a_summary_of_a_file() {
  Summary summary = a_summary();
  summary.floors.reset();
  summary.evaluation =
      Evaluation{.symbols = 300,
                 .loss = {.value = 0.02, .standard_error = {}},
                 .profile = {{.lag = 0,
                              .change = {.value = 0.25, .standard_error = 0.002},
                              .effect = Estimate{.value = -0.25, .standard_error = 0.003}},
                             {.lag = 1,
                              .change = {.value = 0.5, .standard_error = 0.004},
                              .effect = Estimate{.value = 0.5, .standard_error = 0.005}}}};
  return summary;
}

/// The rows of a run of two epochs of these losses, a window each.
inline std::vector<MetricsRow> rows_of(const std::vector<double>& losses) {
  const auto windows_per_epoch = static_cast<std::int64_t>(losses.size() / 2);
  std::vector<MetricsRow> rows;
  rows.reserve(losses.size());
  std::int64_t done = 0;
  for (const double loss : losses) {
    rows.push_back({.epoch = done / windows_per_epoch + 1,
                    .window = done % windows_per_epoch + 1,
                    .mean_loss = loss,
                    .train_seconds = 0.0,
                    .end = 0});
    ++done;
  }
  return rows;
}

/// The metrics.csv that has them.
inline std::string metrics_of(const std::vector<MetricsRow>& rows) {
  std::string text(kMetricsHeader);
  for (const MetricsRow& row : rows) {
    text.append(std::to_string(row.epoch)).append(",");
    text.append(std::to_string(row.window)).append(",");
    text.append(format_loss(row.mean_loss)).append(",0.0\n");
  }
  return text;
}

}  // namespace unroll::testing
