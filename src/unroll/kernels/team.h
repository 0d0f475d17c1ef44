// Threads that work on one thing together.
#pragma once

#include <barrier>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <unroll/kernels/shape.h>

namespace unroll::kernels {

/// A fixed number of threads, the caller's among them. The others sleep between two calls of run().
class Team {
 public:
  /// @throws std::system_error if the system has no more threads
  explicit Team(std::int64_t threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  [[nodiscard]] std::int64_t size() const { return size_; }

  /// Calls work(share) on every thread, and returns when all have done it. It must not throw.
  void run(const std::function<void(Share)>& work);

  /// Called by every thread in the middle of its work: waits for all the others to come here.
  void meet() {
    if (size_ > 1) {
      barrier_.arrive_and_wait();
    }
  }

 private:
  void serve(std::int64_t index);
  void dismiss();

  std::int64_t size_;
  std::barrier<> barrier_;
  std::mutex mutex_;  // over what follows but the threads
  std::condition_variable news_;
  const std::function<void(Share)>* work_ = nullptr;  // null: no more will come
  std::int64_t calls_ = 0;                            // of run(), and one to the end
  std::vector<std::thread> threads_;
};

}  // namespace unroll::kernels
