// Ranks over LibTorch's c10d: its TCPStore to meet, its ProcessGroupGloo for tensors on the CPU.
// For those on GPUs Unroll's CUDA library has c10d's NCCL.
//
// LibTorch has Gloo in it but not Gloo's headers. Those of libgloo-dev are older than what is in
// LibTorch; they serve only to name types that c10d's own interface hides behind pointers. Nothing
// here may call Gloo, or depend on how its classes are laid out; GlooRanks.NameNoSymbolOfGloosOwn
// tests that.

#define USE_C10D_GLOO  // what ProcessGroupGloo.hpp wants to hear

#include <c10/util/Logging.h>
#include <fmt/format.h>
#include <sched.h>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/quote.h>
#include <unroll/cuda/plugin.h>
#include <unroll/distributed/address.h>
#include <unroll/distributed/board.h>
#include <unroll/distributed/join.h>

namespace unroll {
namespace {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

/// Lets this thread, and those that it starts, wait for a core until the thread that has it is done
/// with it for now. Gloo has a thread that spins while another holds the connection; if it took
/// that one's core, both would stand still for the rest of a time slice.
void never_preempt() {
  if (::sched_getscheduler(0) == SCHED_OTHER) {  // else somebody has chosen
    const sched_param priority{};
    ::sched_setscheduler(0, SCHED_BATCH, &priority);  // if it fails, ranks are slower, no more
  }
}

class GlooRanks final : public Ranks {
 public:
  explicit GlooRanks(const RankOptions& options) : options_(options), board_(options) { connect(); }

  [[nodiscard]] std::int64_t rank() const override { return options_.rank; }
  [[nodiscard]] std::int64_t size() const override { return options_.size; }
  [[nodiscard]] std::int64_t local_rank() const override { return options_.local_rank; }

  void sum(torch::Tensor& values) override {
    if (values.is_cpu()) {
      reduce(values, c10d::ReduceOp::SUM);
    } else {
      call([&] { communicator().sum(values); });
    }
  }
  void maximum(torch::Tensor& values) override { reduce(values, c10d::ReduceOp::MAX); }

  std::string broadcast(const std::string& text) override {
    torch::Tensor length = torch::full({1}, static_cast<std::int64_t>(text.size()), torch::kInt64);
    length.mul_(options_.rank == 0 ? 1 : 0);
    maximum(length);
    torch::Tensor bytes = torch::empty({length.item<std::int64_t>()}, torch::kUInt8);
    if (bytes.numel() == 0) {
      return {};
    }
    if (options_.rank == 0) {
      std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
    }
    call([&] {
      std::vector<torch::Tensor> tensors = {bytes};
      group_->broadcast(tensors)->wait();
    });
    return {static_cast<const char*>(bytes.const_data_ptr()),
            static_cast<std::size_t>(bytes.numel())};
  }

  void wait_for_rank_0() override { board_.wait_for_rank_0(); }
  void meet() override { board_.meet(); }

  void fail(const std::string& problem) noexcept override {
    board_.report_failure(problem);
    group_.reset();  // which the others notice
  }

 private:
  void connect() {
    try {
      // Gloo's threads have the policy of the thread that makes the group.
      std::async(std::launch::async, [this] {
        never_preempt();
        make_group();
      }).get();
    } catch (const RankError& error) {
      fail(error.what());
      throw;
    } catch (const std::exception& error) {
      throw board_.explain(
          fmt::format("rank {} cannot connect to the others: {}", options_.rank, error.what()));
    }
  }

  void make_group() {
    const auto group_options =
        c10d::ProcessGroupGloo::Options::create(std::chrono::seconds(options_.timeout));
    group_options->threads = 1;  // one call at a time
    group_options->devices.push_back(
        options_.interface.empty()
            ? c10d::ProcessGroupGloo::createDeviceForHostname(own_address())
            : c10d::ProcessGroupGloo::createDeviceForInterface(own_interface()));
    group_ =
        c10::make_intrusive<c10d::ProcessGroupGloo>(board_.store(), static_cast<int>(options_.rank),
                                                    static_cast<int>(options_.size), group_options);
  }

  /// Where the others find this rank.
  /// @throws RankError if they cannot
  [[nodiscard]] std::string own_address() const {
    std::string address = address_towards(options_.master_address, options_.master_port);
    if (is_loopback(address) && board_.spans_hosts()) {
      throw RankError(fmt::format(
          "MASTER_ADDR {} is {} here, where ranks on other hosts cannot reach this one: give an "
          "address of the network, or name the network's interface in GLOO_SOCKET_IFNAME",
          options_.master_address, address));
    }
    return address;
  }

  /// The interface that was named.
  /// @throws RankError if this host has none of that name
  [[nodiscard]] const std::string& own_interface() const {
    if (!has_interface(options_.interface)) {
      throw RankError(fmt::format(
          "GLOO_SOCKET_IFNAME must be a network interface of this host that has an address, got {}",
          in_quotes(options_.interface)));
    }
    return options_.interface;
  }

  void reduce(torch::Tensor& values, c10d::ReduceOp::RedOpType operation) {
    c10d::AllreduceOptions options;
    options.reduceOp = operation;
    call([&] {
      std::vector<torch::Tensor> tensors = {values};
      group_->allreduce(tensors, options)->wait();
    });
  }

  /// Made when first asked for. Whoever trains on a GPU has seen that the plugin is there.
  cuda::Communicator& communicator() {
    if (!communicator_) {
      const auto store = board_.store()->clone();  // waiting there, it would hold up the board
      communicator_ = cuda::find_plugin().plugin->make_communicator(
          *store, static_cast<int>(options_.rank), static_cast<int>(options_.size),
          std::chrono::seconds(options_.timeout));
    }
    return *communicator_;
  }

  /// Does what all ranks do together.
  template <class Body>
  void call(const Body& body) {
    if (!group_) {
      throw RankError("the ranks have parted");
    }
    try {
      body();
    } catch (const std::exception& error) {
      const std::string symptom = error.what();
      group_.reset();  // so that the ranks beyond notice too
      throw board_.explain(symptom);
    }
  }

  RankOptions options_;
  RankBoard board_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::unique_ptr<cuda::Communicator> communicator_;
};

}  // namespace

std::unique_ptr<Ranks> join_ranks(const RankOptions& options) {
  options.validate();
  static std::once_flag prepared;
  std::call_once(prepared, [] {
    // What c10d would print on stderr, with its call stack, is thrown from here.
    FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, c10::GLOG_FATAL);
    // Who sums on a GPU watches the time. Else c10d does, and ends the process.
    ::setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 1);  // while there are no threads yet
  });
  return std::make_unique<GlooRanks>(options);
}

}  // namespace unroll
