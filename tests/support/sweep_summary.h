// A small sweep whose numbers can be checked in the head.
#pragma once

#include <vector>

#include <unroll/run/sweep_summary.h>

namespace unroll::testing {

/// A cell's row; `lag3` and `lag8` are what is learned of them.
inline SweepRow sweep_row(const SweepCell& cell, double loss, Learned lag3, Learned lag8) {
  return {.cell = cell,
          .windows = 10,
          .last_epoch_loss = loss,
          .held_out_loss = {.value = loss, .standard_error = 0.001},
          .lags = {{.lag = 3, .effect = {.value = 0.5}, .learned = lag3},
                   {.lag = 8, .effect = {.value = -0.25}, .learned = lag8}},
          .train_seconds = 0.5};
}

inline SweepRow diverged_row(const SweepCell& cell) {
  return {.cell = cell,
          .windows = 4,
          .is_diverged = true,
          .lags = {{.lag = 3}, {.lag = 8}},
          .train_seconds = 0.5};
}

/// num_steps 2 and 5, hidden_size 3 and 4, two seeds. Mean losses 0.5 and 0.46; then 0.6, of one
/// seed, the other having diverged, and none.
inline SweepSummary small_sweep() {
  SweepOptions options;
  options.grid = {.num_steps = {2, 5}, .hidden_size = {3, 4}, .learning_rate = {0.2}, .seeds = 2};
  const std::vector<SweepCell> cells = options.grid.cells();
  std::vector<SweepRow> rows = {sweep_row(cells[0], 0.45, Learned::kYes, Learned::kPartly),
                                sweep_row(cells[1], 0.55, Learned::kPartly, Learned::kNo),
                                sweep_row(cells[2], 0.45, Learned::kYes, Learned::kYes),
                                sweep_row(cells[3], 0.47, Learned::kYes, Learned::kYes),
                                sweep_row(cells[4], 0.6, Learned::kNo, Learned::kNo),
                                diverged_row(cells[5]),
                                diverged_row(cells[6]),
                                diverged_row(cells[7])};
  SweepConfig config = parse_sweep_json(sweep_json(options, EngineChoice::kFused), "sweep.json");
  return summarize_sweep("DIR", std::move(config), std::move(rows));
}

}  // namespace unroll::testing
