// What a run came to: summary.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <unroll/data/lagged_process.h>
#include <unroll/evaluation/evaluation.h>

namespace unroll {

struct Summary {
  std::string model;
  std::string engine;
  std::string device;
  std::string dtype;
  std::int64_t seed = 0;
  std::int64_t epochs = 0;
  std::int64_t windows = 0;         ///< trained, over all epochs
  double final_loss = 0.0;          ///< the last log row's mean loss, in nats
  double last_epoch_loss = 0.0;     ///< the mean loss over the last epoch, in nats
  double baseline = 0.0;            ///< what always guessing the same costs, in nats a symbol
  std::int64_t unused_symbols = 0;  ///< of a series, that fill no window
  double seconds = 0.0;             ///< the whole run
  double data_seconds = 0.0;        ///< of which: waiting for the series and cutting their windows
  double train_seconds = 0.0;       ///< of which: training
  std::optional<Floors> floors;     ///< unknown for a user's own series
  std::int64_t num_steps = 0;       ///< of a window; what Floors::no_carry depends on
  std::optional<Evaluation> evaluation = {};  ///< none if it was not asked for
  std::string run_directory;

  [[nodiscard]] double microseconds_per_window() const {
    return train_seconds * 1e6 / static_cast<double>(windows);
  }

  /// One JSON object, indented, with a final newline. Losses have 9 significant digits, as in
  /// metrics.csv.
  [[nodiscard]] std::string to_json() const;
};

}  // namespace unroll
