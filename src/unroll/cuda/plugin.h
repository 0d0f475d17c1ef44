// What needs CUDA to build, behind an interface that does not: the shared library unroll_cuda has
// it, which a build with UNROLL_CUDA makes and find_plugin() loads at run time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <unroll/cuda/block_step.h>

namespace at {
class Tensor;
}
namespace c10d {
class Store;
}

namespace unroll::cuda {

/// LibTorch operations on the GPU, recorded once as a CUDA graph, to be done again in one launch.
class Graph {
 public:
  virtual ~Graph() = default;
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Does the work on the stream that it will be recorded on: what libraries prepare when they are
  /// first called is then prepared.
  virtual void rehearse(const std::function<void()>& work) = 0;

  /// Records the work without doing it, in the place of what was recorded. What it reads must stay
  /// where it is; what it makes lives as long as the recording.
  virtual void record(const std::function<void()>& work) = 0;

  /// Does what was recorded, on the current stream.
  virtual void replay() = 0;
};

/// Several processes with a GPU each.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// Replaces a contiguous tensor on this process's GPU by its sum over the processes, and returns
  /// when that is done. All make the same calls in the same order.
  /// @throws std::exception if they do not within the time-out; the object is of no use then
  virtual void sum(at::Tensor& values) = 0;
};

/// The library's one object. Its work is in order with the current stream's, and returns before it
/// is done.
class Plugin {
 public:
  virtual ~Plugin() = default;
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  [[nodiscard]] virtual std::unique_ptr<Graph> make_graph() const = 0;

  /// Why make_communicator() must not be called; empty if it may.
  [[nodiscard]] virtual std::string communicator_problem() const = 0;

  /// Joins process `rank` of `size`, on its current GPU, with the others that share the store.
  /// @throws std::exception if that cannot be
  [[nodiscard]] virtual std::unique_ptr<Communicator> make_communicator(
      c10d::Store& store, int rank, int size, std::chrono::seconds timeout) const = 0;

  /// The most shared memory that a block can have on the current GPU; 0 if the kernel was not
  /// compiled for it.
  [[nodiscard]] virtual std::size_t shared_bytes() const = 0;

  /// Runs a BlockStep.
  virtual void run(const BlockStepCall<float>& call, const BlockStepPlan& plan) const = 0;
  virtual void run(const BlockStepCall<double>& call, const BlockStepPlan& plan) const = 0;
};

/// The plugin, or why there is none.
struct FoundPlugin {
  const Plugin* plugin = nullptr;
  std::string problem = {};
};

/// Looks for the library beside this program, where an installed program has its libraries, and
/// where the dynamic linker looks. LibTorch's CUDA half must be loaded by then. Looks once.
const FoundPlugin& find_plugin();

}  // namespace unroll::cuda

/// What the library exports. Gives null to a program of another version than `version`.
extern "C" const unroll::cuda::Plugin* unroll_cuda_plugin(const char* version);
