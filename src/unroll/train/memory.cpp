#include <unroll/train/memory.h>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <optional>
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

/// The first number in a file of the control groups' file system; "max", or no such file, is none.
std::optional<double> read_number(const std::string& path) {
  std::ifstream file(path);
  double number = 0.0;
  return file >> number ? std::optional(number) : std::nullopt;
}

/// What a control group holds of files and can drop, in bytes.
double cached_files(const std::string& group) {
  std::ifstream file(group + "/memory.stat");
  std::string key;
  double bytes = 0.0;
  while (file >> key >> bytes) {
    if (key == "inactive_file") {
      return bytes;
    }
  }
  return 0.0;
}

/// What one control group leaves.
double group_memory(const std::string& group) {
  const auto limit = read_number(group + "/memory.max");
  const auto used = read_number(group + "/memory.current");
  return limit && used ? std::max(*limit - *used + cached_files(group), 0.0) : kUnlimited;
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

/// Tensors of the parameters' size that a model in training has: parameters, gradients, and the
/// optimizer's moments.
double copies_in_training(OptimizerKind optimizer) {
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

/// Those that stand beside them at the worst moment. In a training: where there are several steps,
/// the gradients of two before they are added up; else, at the end, the weights to be saved. At a
/// comparison's end: the initial weights, two models' weights, their difference and its absolute
/// value.
double copies_beside(std::int64_t models, std::int64_t num_steps) {
  if (models > 1) {
    return 5.0;
  }
  return num_steps > 1 ? 2.0 : 1.0;
}

}  // namespace

double control_group_memory(const std::string& membership, const std::string& root) {
  std::ifstream file(membership);
  std::string line;  // "0::/outer/inner"
  while (std::getline(file, line) && !line.starts_with("0::")) {
  }
  double least = kUnlimited;
  std::string group = line.substr(std::min<std::size_t>(line.find('/'), line.size()));
  while (true) {
    least = std::min(least, group_memory(root + group));
    if (group.empty()) {
      return least;
    }
    group.erase(group.rfind('/'));
  }
}

double available_memory() {
  return std::min({machine_memory(), control_group_memory(), address_space()});
}

void check_memory(std::int64_t series_length, const WindowOptions& windows,
                  const ModelOptions& model, const OptimizerOptions& optimizer, Precision precision,
                  double available, std::int64_t models) {
  const auto N = static_cast<double>(series_length);
  const auto B = static_cast<double>(windows.batch_size);
  const auto T = static_cast<double>(windows.num_steps);
  const auto C = static_cast<double>(model.num_classes);
  const auto H = static_cast<double>(model.hidden_size);
  const double real = precision == Precision::kFloat64 ? 8.0 : 4.0;

  const double series = 2.0 * sizeof(std::int64_t) * N;
  // At the start the initial weights' float64 draft stands beside its rounding.
  const double copies = static_cast<double>(models) * copies_in_training(optimizer.optimizer) +
                        copies_beside(models, windows.num_steps);
  const double weights =
      std::max(real * copies, real + sizeof(double)) * ((C + H) * H + H + H * C + C);
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
