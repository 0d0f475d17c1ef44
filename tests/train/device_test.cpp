// What --device comes to, with a GPU and without.

#include <unroll/train/device.h>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/window_dataset.h>
#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>

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

/// The losses of a hundred windows on a device, with everything that belongs there.
std::vector<double> losses_on(torch::Device device, ModelKind kind) {
  const ModelOptions options = {.model = kind};
  const WindowDataset dataset(testing::scrambled_series(3000, 2), {}, device);
  const auto model = make_model(options, torch::kFloat64, device);
  model->set_weights(testing::spread_weights(options, torch::kFloat64));
  AutogradEngine engine(model, {});
  const Advance advance =
      engine.advance(dataset, {.first = 0, .count = 100}, engine.initial_state(3));
  EXPECT_EQ(advance.losses.device().type(), device.type());
  EXPECT_EQ(advance.state.device().type(), device.type());
  EXPECT_TRUE(model->weights().bias.device().is_cpu());
  return testing::numbers(advance.losses);
}

TEST(Device, CudaTrainsAsTheCpuDoes) {
  const torch::Device device = resolve_device(DeviceChoice::kAuto);
  if (device.is_cpu()) {
    GTEST_SKIP() << "this machine has no usable GPU";
  }
  for (const ModelKind kind : {ModelKind::kManual, ModelKind::kBuiltin}) {
    testing::expect_near(losses_on(device, kind), losses_on(torch::kCPU, kind), 1e-9);
  }
}

}  // namespace
}  // namespace unroll
