// The library unroll_cuda: LibTorch's CUDA graphs, NCCL, and the kernel of launch.cu.

#include <unroll/cuda/plugin.h>

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda.h>
#include <cuda_runtime_api.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <unroll/cuda/launch.h>
#include <unroll/cuda/nccl.h>
#include <unroll/version.h>

// Before, LibTorch's headers gave CUDAGraph another size than LibTorch did.
static_assert(CUDA_VERSION >= 12'040);

namespace unroll::cuda {
namespace {

class RecordedGraph final : public Graph {
 public:
  void rehearse(const std::function<void()>& work) override { on_own_stream(work); }

  void record(const std::function<void()>& work) override {
    graph_.emplace();
    on_own_stream([&] {
      // What rehearsals have left in LibTorch's cache cannot be given back during a capture, which
      // allocates from a pool of its own.
      stream_.synchronize();
      c10::cuda::CUDACachingAllocator::emptyCache();
      graph_->capture_begin();
      try {
        work();
      } catch (...) {
        abandon_capture();
        throw;
      }
      graph_->capture_end();
    });
  }

  void replay() override { graph_->replay(); }

 private:
  /// Takes the stream out of a capture that has failed.
  void abandon_capture() {
    cudaGraph_t unfinished = nullptr;
    if (cudaStreamEndCapture(stream_, &unfinished) == cudaSuccess && unfinished != nullptr) {
      C10_CUDA_CHECK_WARN(cudaGraphDestroy(unfinished));
    }
    C10_CUDA_IGNORE_ERROR(cudaGetLastError());
    graph_.reset();
  }

  /// LibTorch records on no default stream. What comes before and after on the current one keeps
  /// its place.
  void on_own_stream(const std::function<void()>& work) {
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream();
    wait(stream_, current);
    {
      const c10::cuda::CUDAStreamGuard guard(stream_);
      work();
    }
    wait(current, stream_);
  }

  /// Lets `waiter` go on when what `other` has been given is done.
  static void wait(cudaStream_t waiter, cudaStream_t other) {
    cudaEvent_t event = nullptr;
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    C10_CUDA_CHECK(cudaEventRecord(event, other));
    C10_CUDA_CHECK(cudaStreamWaitEvent(waiter, event));
    C10_CUDA_CHECK(cudaEventDestroy(event));
  }

  c10::cuda::CUDAStream stream_ = c10::cuda::getStreamFromPool();
  std::optional<at::cuda::CUDAGraph> graph_;
};

class CudaPlugin final : public Plugin {
 public:
  [[nodiscard]] std::unique_ptr<Graph> make_graph() const override {
    return std::make_unique<RecordedGraph>();
  }

  [[nodiscard]] std::string communicator_problem() const override { return nccl_problem(); }

  [[nodiscard]] std::unique_ptr<Communicator> make_communicator(
      c10d::Store& store, int rank, int size, std::chrono::seconds timeout) const override {
    return make_nccl_communicator(c10::intrusive_ptr<c10d::Store>::reclaim_copy(&store), rank, size,
                                  timeout);
  }

  [[nodiscard]] std::size_t shared_bytes() const override {
    if (!has_kernel()) {
      return 0;
    }
    int bytes = 0;
    C10_CUDA_CHECK(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin,
                                          c10::cuda::current_device()));
    return static_cast<std::size_t>(bytes);
  }

  void run(const BlockStepCall<float>& call, const BlockStepPlan& plan) const override {
    C10_CUDA_CHECK(launch(call, plan, c10::cuda::getCurrentCUDAStream()));
  }
  void run(const BlockStepCall<double>& call, const BlockStepPlan& plan) const override {
    C10_CUDA_CHECK(launch(call, plan, c10::cuda::getCurrentCUDAStream()));
  }
};

}  // namespace
}  // namespace unroll::cuda

const unroll::cuda::Plugin* unroll_cuda_plugin(const char* version) {
  static const unroll::cuda::CudaPlugin plugin;
  return version == unroll::kVersion ? &plugin : nullptr;
}
