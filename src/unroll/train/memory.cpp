#include <unroll/train/memory.h>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <string>

#include <unroll/base/error.h>

namespace unroll {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// MemAvailable of /proc/meminfo, in bytes.
double machine_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::string line;
  double kibibytes = 0.0;
  while (file >> key >> kibibytes && std::getline(file, line)) {
    if (key == "MemAvailable:") {
      return kibibytes * 1024.0;
    }
  }
  return kUnlimited;
}

/// What version 2 of Linux's control groups leaves this process; "max", or no such file, is no
/// limit.
double control_group_memory() {
  double limit = 0.0;
  double used = 0.0;
  std::ifstream limit_file("/sys/fs/cgroup/memory.max");
  std::ifstream used_file("/sys/fs/cgroup/memory.current");
  return limit_file >> limit && used_file >> used ? std::max(limit - used, 0.0) : kUnlimited;
}

/// What `ulimit -v` leaves this process.
double address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return kUnlimited;
  }
  double pages = 0.0;
  std::ifstream("/proc/self/statm") >> pages;
  return std::max(
      static_cast<double>(limit.rlim_cur) - pages * static_cast<double>(::sysconf(_SC_PAGESIZE)),
      0.0);
}

std::string readable_bytes(double bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (bytes >= 1024.0 && unit + 1 < kUnits.size()) {
    bytes /= 1024.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

/// Tensors of the parameters' size that live through a step: parameters, gradients, and the
/// optimizer's moments.
double copies_of_the_weights(OptimizerKind optimizer) {
  switch (optimizer) {
    case OptimizerKind::kSgd:
      return 2.0;
    case OptimizerKind::kAdagrad:
      return 3.0;
    case OptimizerKind::kAdam:
      return 4.0;
  }
  return 2.0;
}

}  // namespace

double available_memory() {
  return std::min({machine_memory(), control_group_memory(), address_space()});
}

void check_memory(std::int64_t series_length, const WindowOptions& windows,
                  const ModelOptions& model, const OptimizerOptions& optimizer, Precision precision,
                  double available) {
  const auto N = static_cast<double>(series_length);
  const auto B = static_cast<double>(windows.batch_size);
  const auto T = static_cast<double>(windows.num_steps);
  const auto C = static_cast<double>(model.num_classes);
  const auto H = static_cast<double>(model.hidden_size);
  const double real = precision == Precision::kFloat64 ? 8.0 : 4.0;

  const double series = 2.0 * sizeof(std::int64_t) * N;
  // At the start the parameters stand beside the initial weights' float64 draft and its rounding.
  const double weights =
      std::max(real * copies_of_the_weights(optimizer.optimizer), 2.0 * real + sizeof(double)) *
      ((C + H) * H + H + H * C + C);
  // Kept for the backward pass: each step's input term, sum and state, and the logits with their
  // log-softmax.
  const double window = real * B * T * (3.0 * H + 2.0 * C);
  if (series + weights + window <= available) {
    return;
  }
  const auto fail = [&](const char* option, std::int64_t value, double bytes, const char* what) {
    throw InvalidOption(
        option, fmt::format("must fit in memory, got {}: {} needs {}, {} is available", value, what,
                            readable_bytes(bytes), readable_bytes(available)));
  };
  if (series >= std::max(weights, window)) {
    fail("series_length", series_length, series, "the series");
  }
  if (weights >= window || H >= std::max(B, T)) {
    fail("hidden_size", model.hidden_size, weights + window, "the network");
  }
  if (B >= T) {
    fail("batch_size", windows.batch_size, window, "a window");
  }
  fail("num_steps", windows.num_steps, window, "a window");
}

}  // namespace unroll
