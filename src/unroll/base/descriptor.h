// A file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace unroll {

/// Owns an open file, or none: -1.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool is_open() const { return value_ >= 0; }

  void reset(int value) {
    close();
    value_ = value;
  }

  void close() {
    if (is_open()) {
      ::close(std::exchange(value_, -1));
    }
  }

 private:
  int value_;
};

}  // namespace unroll
