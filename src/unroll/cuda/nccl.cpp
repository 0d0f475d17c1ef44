#define USE_C10D_NCCL  // what ProcessGroupNCCL.hpp wants to hear

#include <unroll/cuda/nccl.h>

#include <nccl.h>
#include <torch/csrc/cuda/nccl.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace unroll::cuda {
namespace {

/// c10d's classes have parts of NCCL's, which grow from release to release.
void check_release() {
  const std::uint64_t release = torch::cuda::nccl::version();  // major, minor and patch
  const auto major = static_cast<int>(release >> 32);
  const auto minor = static_cast<int>(release >> 16 & 0xFFFF);
  if (major != NCCL_MAJOR || minor != NCCL_MINOR) {
    throw std::runtime_error("LibTorch has NCCL " + std::to_string(major) + "." +
                             std::to_string(minor) + ", and Unroll's CUDA library was built for " +
                             std::to_string(NCCL_MAJOR) + "." + std::to_string(NCCL_MINOR));
  }
}

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                   std::chrono::seconds timeout)
      : timeout_(timeout) {
    check_release();
    // Else c10d ends the process where another rank is gone, before sum() can throw.
    ::setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "0", 1);
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, size, options);
  }

  ~NcclCommunicator() override {
    try {
      if (is_whole_) {
        group_->shutdown();
      } else {
        group_->abort();  // what waits on the GPU for a rank that is gone
      }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): there is nobody to tell
    }
  }

  void sum(at::Tensor& values) override {
    is_whole_ = false;
    const auto end = std::chrono::steady_clock::now() + timeout_;
    std::vector<at::Tensor> tensors = {values};
    const auto work = group_->allreduce(tensors);
    // c10d's own wait lets the GPU wait, for ever if need be, or looks every millisecond.
    while (!work->isCompleted()) {
      if (std::chrono::steady_clock::now() > end) {
        throw std::runtime_error("NCCL has not finished within the time-out");
      }
      std::this_thread::yield();
    }
    work->wait();  // throws what went wrong
    is_whole_ = true;
  }

 private:
  std::chrono::seconds timeout_;
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
  bool is_whole_ = true;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(const c10::intrusive_ptr<c10d::Store>& store,
                                                     int rank, int size,
                                                     std::chrono::seconds timeout) {
  return std::make_unique<NcclCommunicator>(store, rank, size, timeout);
}

}  // namespace unroll::cuda
