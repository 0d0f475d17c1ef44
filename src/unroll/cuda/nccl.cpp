#define USE_C10D_NCCL  // what ProcessGroupNCCL.hpp wants to hear

#include <unroll/cuda/nccl.h>

#include <nccl.h>
#include <torch/csrc/cuda/nccl.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <cstdint>
#include <exception>
#include <future>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace unroll::cuda {
namespace {

using Clock = std::chrono::steady_clock;
using WorkPointer = c10::intrusive_ptr<c10d::Work>;

/// Of c10d's message the part that NCCL has said last, where it has.
std::string last_error(const std::string& message) {
  constexpr std::string_view kTitle = "Last error:\n";
  const std::size_t title = message.rfind(kTitle);
  return title == std::string::npos ? message : message.substr(title + kTitle.size());
}

/// c10d must have been told by TORCH_NCCL_BLOCKING_WAIT not to end the process by itself where
/// another rank is gone.
class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                   std::chrono::seconds timeout)
      : timeout_(timeout) {
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    group_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, size, options);
  }

  /// Leaves without a word: the sums are done, or another rank is gone.
  ~NcclCommunicator() override {
    try {
      if (group_) {
        group_->abort();
      }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): there is nobody to tell
    }
  }

  void sum(at::Tensor& values) override {
    const Clock::time_point end = Clock::now() + timeout_;
    try {
      const WorkPointer work = begin_sum(values, end);
      // c10d's own wait looks every millisecond.
      while (!work->isCompleted()) {
        if (Clock::now() > end) {
          throw std::runtime_error("NCCL has not finished within the time-out");
        }
        std::this_thread::yield();
      }
      work->wait();  // throws what went wrong
    } catch (const std::exception& error) {
      throw std::runtime_error(last_error(error.what()));
    }
  }

 private:
  WorkPointer begin_sum(const at::Tensor& values, Clock::time_point end) {
    std::vector<at::Tensor> tensors = {values};
    if (is_connected_) {
      return group_->allreduce(tensors);
    }
    // The first connects the ranks, and does not return where one never comes: it is left behind
    // then, with what it needs.
    std::packaged_task<WorkPointer()> task(
        [group = group_, tensors]() mutable { return group->allreduce(tensors); });
    std::future<WorkPointer> work = task.get_future();
    std::thread(std::move(task)).detach();
    if (work.wait_until(end) == std::future_status::timeout) {
      group_.reset();
      throw std::runtime_error("NCCL has not connected the ranks within the time-out");
    }
    is_connected_ = true;
    return work.get();
  }

  std::chrono::seconds timeout_;
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
  bool is_connected_ = false;
};

}  // namespace

std::string nccl_problem() {
  // c10d's classes have parts of NCCL's, which grow from release to release.
  const std::uint64_t release = torch::cuda::nccl::version();  // major, minor and patch
  const auto major = static_cast<int>(release >> 32);
  const auto minor = static_cast<int>(release >> 16 & 0xFFFF);
  if (major == NCCL_MAJOR && minor == NCCL_MINOR) {
    return {};
  }
  return "LibTorch has NCCL " + std::to_string(major) + "." + std::to_string(minor) +
         ", and it was built for " + std::to_string(NCCL_MAJOR) + "." + std::to_string(NCCL_MINOR);
}

std::unique_ptr<Communicator> make_nccl_communicator(const c10::intrusive_ptr<c10d::Store>& store,
                                                     int rank, int size,
                                                     std::chrono::seconds timeout) {
  return std::make_unique<NcclCommunicator>(store, rank, size, timeout);
}

}  // namespace unroll::cuda
