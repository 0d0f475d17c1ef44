// A trained network as a TorchScript module, for programs that know LibTorch or PyTorch but not
// Unroll.
#pragma once

#include <string>

#include <unroll/base/file.h>
#include <unroll/model/weights.h>

namespace unroll {

/// The name of the extra file in which a module carries where it comes from, as JSON.
constexpr const char* kProvenanceFile = "unroll.json";

/// The largest difference between two ways to compute the same logits in float64 that rounding
/// explains, in a network that makes it several times as large at every step too.
constexpr double kExportTolerance = 1e-9;

/// Writes a TorchScript module with these weights:
///
///     forward(inputs: int64 [B, T], state: [B, H]) -> (logits [B, T, C], state [B, H])      any B
///     and T from 1 initial_state(batch_size: int) -> [B, H], zeros
///
/// It follows its parameters to whatever device they are moved to; its state_dict() has the names
/// of a weights file. `provenance` goes with it as the extra file kProvenanceFile. The file is
/// finished, not published, when it has been loaded again and its logits and state were compared
/// with ManualRnn's, both in float64, over whole windows and one step at a time. Gives the largest
/// difference found.
/// @throws FileError if it cannot be written, or what was written computes something else
double write_torchscript(WholeFile& file, const Weights& weights, const std::string& provenance);

/// write_torchscript, published.
double save_torchscript(const std::string& path, const Weights& weights,
                        const std::string& provenance);

/// Reads the weights of a module that save_torchscript wrote. The module's logits and state are
/// compared with those of these weights, as they were when it was written.
/// @throws FileError if the file cannot be read, is no TorchScript module, has other parameters
/// than such a module, or computes something else
Weights load_torchscript(const std::string& path);

}  // namespace unroll
