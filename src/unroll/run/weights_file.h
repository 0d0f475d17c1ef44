// Weights in a safetensors file that a PyTorch nn.RNN and nn.Linear load as they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <unroll/base/file.h>
#include <unroll/model/weights.h>
#include <unroll/run/safetensors.h>
#include <unroll/run/tensor_file.h>

namespace unroll {

/// Writes rnn.weight_ih_l0 [H, C], rnn.weight_hh_l0 [H, H], rnn.bias_ih_l0 [H], rnn.bias_hh_l0 [H]
/// (zeros), readout.weight [C, H] and readout.bias [C]. The file is finished, not published.
/// @throws FileError
void write_weights(WholeFile& file, const Weights& weights);

/// write_weights, published.
void save_weights(const std::string& path, const Weights& weights);

/// Reads such a file for a model of these sizes. PyTorch's second bias is added to the first: the
/// two act as their sum. float32 files serve either dtype; a float64 file is not rounded to float32
/// behind the user's back. Of a checkpoint, once its digest has been checked, it takes the weights.
/// @throws FileError if the file cannot be read, a tensor is missing or extra, or has the wrong
/// shape or dtype or a value that is not finite.
Weights load_weights(const std::string& path, const ModelOptions& options, torch::Dtype dtype);

/// load_weights of a file's bytes.
Weights parse_weights(std::string_view bytes, const std::string& path, const ModelOptions& options,
                      torch::Dtype dtype);

/// Reads such a file for a model of whatever sizes and dtype it has.
/// @throws FileError likewise
Weights load_weights(const std::string& path);

/// Takes the weights of a model of whatever sizes and dtype out of the tensors of a file, which has
/// nothing else. `path` stands for the file in errors.
/// @throws FileError likewise
Weights weights_of(SafeTensors tensors, const std::string& path);

/// The weights' tensors, fit for view_of, under their names in a file and in that order.
std::vector<std::pair<std::string, torch::Tensor>> tensors_of(const Weights& weights);

/// Takes them out of a file again.
/// @throws FileError
Weights take_weights(TensorReader& reader, const ModelOptions& options, torch::Dtype dtype);

}  // namespace unroll
