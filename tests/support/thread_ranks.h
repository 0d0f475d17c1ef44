// Ranks that are threads of the test.
#pragma once

#include <torch/types.h>

#include <barrier>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unroll/train/ranks.h>

namespace unroll::testing {

/// Where the threads meet.
class Meeting {
 public:
  explicit Meeting(std::int64_t size)
      : tensors(static_cast<std::size_t>(size)), barrier_(static_cast<std::ptrdiff_t>(size)) {}

  void wait() { barrier_.arrive_and_wait(); }

  std::vector<torch::Tensor> tensors;  // what each has brought
  std::string text;                    // rank 0's

 private:
  std::barrier<> barrier_;
};

/// One of the threads.
class ThreadRanks final : public Ranks {
 public:
  ThreadRanks(Meeting& meeting, std::int64_t rank) : meeting_(meeting), rank_(rank) {}

  [[nodiscard]] std::int64_t rank() const override { return rank_; }
  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(meeting_.tensors.size());
  }

  [[nodiscard]] std::int64_t local_rank() const override { return rank_; }

  void sum(torch::Tensor& values) override {
    ++sums;
    reduce(values, [](torch::Tensor& into, const torch::Tensor& other) { into.add_(other); });
  }

  void maximum(torch::Tensor& values) override {
    reduce(values, [](torch::Tensor& into, const torch::Tensor& other) {
      into.copy_(torch::maximum(into, other));
    });
  }

  std::string broadcast(const std::string& text) override {
    if (rank_ == 0) {
      meeting_.text = text;
    }
    meeting_.wait();
    std::string received = meeting_.text;
    meeting_.wait();
    return received;
  }

  void wait_for_rank_0() override { meeting_.wait(); }
  void meet() override { meeting_.wait(); }
  void fail(const std::string& /*problem*/) noexcept override {}

  std::int64_t sums = 0;  // how often sum() was called

 private:
  void reduce(torch::Tensor& values,
              const std::function<void(torch::Tensor&, const torch::Tensor&)>& add) {
    meeting_.tensors[static_cast<std::size_t>(rank_)] = values.clone();
    meeting_.wait();
    torch::Tensor total = meeting_.tensors.front().clone();
    for (std::size_t other = 1; other < meeting_.tensors.size(); ++other) {
      add(total, meeting_.tensors[other]);
    }
    values.copy_(total);
    meeting_.wait();
  }

  Meeting& meeting_;
  std::int64_t rank_;
};

/// Runs `body` on each of `size` threads, with its rank. It must not throw on one of them alone.
inline void in_ranks(std::int64_t size, const std::function<void(ThreadRanks&)>& body) {
  Meeting meeting(size);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  threads.reserve(errors.size());
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRanks ranks(meeting, rank);
      try {
        body(ranks);
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

}  // namespace unroll::testing
