// What --device comes to, with a GPU and without.

#include <unroll/train/device.h>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/engine_choice.h>

#include "../support/spread_model.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

bool has_driver() { return ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr; }

TEST(Device, CpuIsTheCpu) { EXPECT_EQ(resolve_device(DeviceChoice::kCpu), torch::kCPU); }

TEST(Device, CpuDoesNotLoadCuda) {
  resolve_device(DeviceChoice::kCpu);
  EXPECT_EQ(::dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD), nullptr);
  EXPECT_EQ(::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD), nullptr);
}

TEST(Device, AutoIsTheCpuWithoutADriver) {
  if (has_driver()) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  EXPECT_EQ(resolve_device(DeviceChoice::kAuto), torch::kCPU);
}

TEST(Device, CudaIsRefusedWithoutADriver) {
  if (has_driver()) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  try {
    resolve_device(DeviceChoice::kCuda);
    FAIL() << "cuda was taken";
  } catch (const InvalidOption& error) {
    EXPECT_EQ(error.option(), "device");
    EXPECT_EQ(
        error.problem(),
        "cuda does not work here: no NVIDIA driver (libcuda.so.1) was found; use cpu or auto");
  }
}

TEST(Device, AskingAgainGivesTheSame) {
  const torch::Device first = resolve_device(DeviceChoice::kAuto);
  EXPECT_EQ(resolve_device(DeviceChoice::kAuto), first);
  EXPECT_EQ(resolve_device(DeviceChoice::kCpu), torch::kCPU);
}

/// What is trained, of all that the engines of a device offer.
struct Training {
  ModelKind model = ModelKind::kManual;
  EngineChoice engine = EngineChoice::kAutograd;
  OptimizerKind optimizer = OptimizerKind::kSgd;
  torch::Dtype dtype = torch::kFloat64;
  std::int64_t batch_size = 3;
  std::int64_t hidden_size = 4;
};

/// The losses of a hundred windows on a device, with everything that belongs there; after half of
/// them the optimizer's state is set to what it is.
std::vector<double> losses_on(torch::Device device, const Training& training) {
  const ModelOptions options = {.model = training.model, .hidden_size = training.hidden_size};
  const WindowDataset dataset(testing::scrambled_series(1'000 * training.batch_size, 2),
                              {.batch_size = training.batch_size}, device);
  const auto model = testing::spread_model(options, training.dtype, device);
  const auto engine =
      make_engine(training.engine, model, {.optimizer = training.optimizer}, plugin_for(device));
  const Advance first = engine->advance(dataset, {.first = 0, .count = 50},
                                        engine->initial_state(training.batch_size));
  engine->set_optimizer_state(engine->optimizer_state());
  const Advance second = engine->advance(dataset, {.first = 50, .count = 50}, first.state);
  EXPECT_EQ(second.losses.device().type(), device.type());
  EXPECT_EQ(second.state.device().type(), device.type());
  EXPECT_TRUE(model->weights().bias.device().is_cpu());
  return testing::numbers(torch::cat({first.losses, second.losses}));
}

void expect_same(const Training& training, torch::Device device) {
  SCOPED_TRACE(std::string(name_of(training.model)) + " " + std::string(name_of(training.engine)) +
               " " + std::string(name_of(training.optimizer)) + " " +
               torch::toString(training.dtype) + " H" + std::to_string(training.hidden_size));
  const double tolerance = training.dtype == torch::kFloat64 ? 1e-9 : 1e-3;
  testing::expect_near(losses_on(device, training), losses_on(torch::kCPU, training), tolerance);
}

TEST(Device, CudaTrainsAsTheCpuDoes) {
  const torch::Device device = resolve_device(DeviceChoice::kAuto);
  if (device.is_cpu()) {
    GTEST_SKIP() << "this machine has no usable GPU";
  }
  for (const ModelKind model : {ModelKind::kManual, ModelKind::kBuiltin}) {
    for (const torch::Dtype dtype : {torch::kFloat64, torch::kFloat32}) {
      for (const OptimizerKind optimizer :
           {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kAdam}) {
        expect_same({.model = model, .optimizer = optimizer, .dtype = dtype}, device);
      }
    }
  }
}

TEST(Device, CudaTrainsInOneKernelAsTheCpuDoes) {
  const torch::Device device = resolve_device(DeviceChoice::kAuto);
  if (device.is_cpu() || plugin_for(device).plugin == nullptr) {
    GTEST_SKIP() << "this machine has no usable GPU, or this build no library for it";
  }
  for (const ModelKind model : {ModelKind::kManual, ModelKind::kBuiltin}) {
    for (const torch::Dtype dtype : {torch::kFloat64, torch::kFloat32}) {
      const Training small = {.model = model, .engine = EngineChoice::kFused, .dtype = dtype};
      Training wide = small;
      wide.batch_size = 30;
      wide.hidden_size = 20;
      expect_same(small, device);
      expect_same(wide, device);
    }
  }
}

}  // namespace
}  // namespace unroll
