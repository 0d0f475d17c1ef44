// A whole export: from a run directory or a weights file to files that other programs read.
#pragma once

#include <cstdint>
#include <string>

#include <unroll/model/weights.h>

namespace unroll {

struct ExportOptions {
  /// A finished run's directory, or a weights file.
  std::string source;
  /// The TorchScript file to write.
  std::string output;
  /// A safetensors file to write as well; empty for none.
  std::string weights;
  /// Replace output files that exist.
  bool force = false;
};

/// What was exported.
struct ExportSummary {
  std::int64_t num_classes = 0;
  std::int64_t hidden_size = 0;
  std::string dtype;
  double largest_difference = 0.0;  ///< between the trained model and the file, loaded again
  std::string warning = {};         ///< what the user should know of the run, in a sentence
};

/// Exports as the options say. If one of the files cannot be written, neither appears. An output
/// that is a link is written at its end.
/// @throws InvalidOption if both outputs are one file; FileError if the source is missing, damaged,
/// or a run that did not finish or does not fit together; if an output exists and force is not set,
/// or is no regular file; if an output cannot be written
ExportSummary run_export(const ExportOptions& options);

/// The weights of a source as run_export takes it.
/// @throws FileError likewise
Weights load_source(const std::string& source);

}  // namespace unroll
