#include <unroll/kernels/team.h>

namespace unroll::kernels {

Team::Team(std::int64_t threads) : size_(threads), barrier_(threads) {
  threads_.reserve(static_cast<std::size_t>(size_ - 1));
  try {
    for (std::int64_t index = 1; index < size_; ++index) {
      threads_.emplace_back([this, index] { serve(index); });
    }
  } catch (...) {
    dismiss();
    throw;
  }
}

Team::~Team() { dismiss(); }

void Team::run(const std::function<void(Share)>& work) {
  if (size_ > 1) {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    ++calls_;
    news_.notify_all();
  }
  work({.index = 0, .count = size_});
  meet();
}

void Team::serve(std::int64_t index) {
  for (std::int64_t call = 1;; ++call) {
    const std::function<void(Share)>* work = nullptr;
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [&] { return calls_ == call; });
      work = work_;
    }
    if (work == nullptr) {
      return;
    }
    (*work)({.index = index, .count = size_});
    meet();
  }
}

void Team::dismiss() {
  {
    const std::lock_guard lock(mutex_);
    work_ = nullptr;
    ++calls_;
    news_.notify_all();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

}  // namespace unroll::kernels
