// The rows of a sweep, one a cell: sweep.csv, and the parts that grow while cells finish.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unroll/data/lagged_process.h>
#include <unroll/evaluation/evaluation.h>
#include <unroll/run/sweep_grid.h>
#include <unroll/run/sweep_options.h>

namespace unroll {

/// What a cell's model has learned of one lag of the process.
struct SweepLag {
  std::int64_t lag = 0;
  Estimate effect = {};
  Learned learned = Learned::kNo;
};

/// What one cell came to.
struct SweepRow {
  SweepCell cell;
  std::int64_t windows = 0;  ///< trained; up to where it diverged, if it did
  /// The loss, or a weight with it, stopped being a finite number. What follows is then empty but
  /// for train_seconds.
  bool is_diverged = false;
  double last_epoch_loss = 0.0;     ///< in nats
  Estimate held_out_loss = {};      ///< in nats
  std::vector<SweepLag> lags = {};  ///< of a model that diverged none is learned
  double train_seconds = 0.0;
};

/// The first line: num_steps,hidden_size,learning_rate,seed,windows,diverged,last_epoch_loss,
/// held_out_loss,held_out_error, three columns for each lag of the process (lag3_effect,
/// lag3_error, lag3_learned), train_seconds. With its end.
std::string sweep_header(const LaggedProcess& process);

/// A line, with its end. Losses and effects have 9 significant digits, and are empty where there
/// are none; so are standard errors of samples too small to have one.
std::string format_sweep_row(const SweepRow& row);

/// The first lines of a part: a comment with the digest of its sweep, then sweep_header(). A part
/// may be carried to another folder; a sweep.csv has no comment.
std::string sweep_part_header(const SweepConfig& config, const LaggedProcess& process);

/// Every row of a grid, in its order, under the header: a sweep.csv.
std::string format_sweep(const std::vector<SweepRow>& rows, const LaggedProcess& process);

/// What is read of a file of rows.
struct SweepPart {
  std::string path;
  Shard shard = {};            ///< whose it is; the whole for a sweep.csv
  std::vector<SweepRow> rows;  ///< in the file's order
  std::int64_t bytes = 0;      ///< of the first lines and these rows
};

/// Reads the text of a part, trusting nothing in it. What follows the last line's end, as a kill
/// may leave it, is not read. `path` stands for the file in errors.
/// @throws FileError if the part is of another sweep, or naming the line that is no row, has no
/// cell of the grid, or a cell twice
SweepPart parse_sweep_part(std::string_view text, const std::string& path,
                           const SweepConfig& config, const LaggedProcess& process);

/// The same of a sweep.csv.
SweepPart parse_sweep(std::string_view text, const std::string& path, const SweepGrid& grid,
                      const LaggedProcess& process);

/// What a shard's file is called: "cells-3-of-8.csv".
std::string sweep_part_name(const Shard& shard);

/// DIR/sweep.csv.
std::string sweep_csv_path(const std::string& directory);

/// Reads every part in a sweep's folder, and its sweep.csv, in the order of their names.
/// @throws FileError as parse_sweep_part(), and if the folder cannot be read
std::vector<SweepPart> read_sweep_parts(const std::string& directory, const SweepConfig& config,
                                        const LaggedProcess& process);

/// What is known of each cell of a grid, in its order; nothing of a cell that no part has. A cell
/// may be in several parts.
/// @throws FileError if two parts have the same cell, and not the same of it but for its time
std::vector<std::optional<SweepRow>> join_sweep_parts(const std::vector<SweepPart>& parts,
                                                      const SweepGrid& grid);

}  // namespace unroll
