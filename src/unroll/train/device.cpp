#include <unroll/train/device.h>

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/cuda.h>

#include <filesystem>
#include <string>

#include <unroll/base/error.h>

namespace unroll {
namespace {

/// Loads LibTorch's CUDA half and asks it for a GPU. Gives an empty string if there is one, else
/// why not.
std::string why_no_cuda() {
  if (::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    return "no NVIDIA driver (libcuda.so.1) was found";
  }
  Dl_info cpu_library;
  if (::dladdr(reinterpret_cast<void*>(&torch::cuda::is_available), &cpu_library) ==
      0) {  // NOLINT(*-reinterpret-cast)
    return "libtorch_cpu could not be located";
  }
  const auto cuda_library =
      std::filesystem::path(cpu_library.dli_fname).replace_filename("libtorch_cuda.so");
  if (::dlopen(cuda_library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return std::string("LibTorch's CUDA library does not load: ") + ::dlerror();
  }
  if (!torch::cuda::is_available()) {
    return "LibTorch finds no usable GPU";
  }
  return {};
}

/// Makes that GPU this thread's current one.
torch::Device choose_gpu(std::int64_t local_rank) {
  const auto index = static_cast<torch::DeviceIndex>(local_rank % torch::cuda::device_count());
  const torch::Device gpu(torch::kCUDA, index);
  c10::impl::VirtualGuardImpl(torch::kCUDA).setDevice(gpu);
  return gpu;
}

}  // namespace

torch::Device resolve_device(DeviceChoice choice, std::optional<std::int64_t> local_rank) {
  if (choice == DeviceChoice::kCpu) {
    return torch::kCPU;
  }
  const std::string problem = why_no_cuda();
  if (problem.empty()) {
    // By default cuDNN rounds what it multiplies to 10 bits: the models would no longer be the
    // same.
    at::globalContext().setAllowTF32CuDNN(false);
    return local_rank ? choose_gpu(*local_rank) : torch::Device(torch::kCUDA);
  }
  if (choice == DeviceChoice::kCuda) {
    throw InvalidOption("device", "cuda does not work here: " + problem + "; use cpu or auto");
  }
  return torch::kCPU;
}

}  // namespace unroll
