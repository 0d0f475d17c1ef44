// A model for tests of what trains one.
#pragma once

#include <torch/types.h>

#include <memory>

#include <unroll/model/model.h>

#include "tensors.h"

namespace unroll::testing {

/// A model with spread_weights().
inline std::shared_ptr<RecurrentModel> spread_model(const ModelOptions& options, torch::Dtype dtype,
                                                    torch::Device device = torch::kCPU) {
  auto model = make_model(options, dtype, device);
  model->set_weights(spread_weights(options, dtype));
  return model;
}

}  // namespace unroll::testing
