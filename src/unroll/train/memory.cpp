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

double bytes_of(Precision precision) { return precision == Precision::kFloat64 ? 8.0 : 4.0; }

std::string readable_bytes(double bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (bytes >= 1024.0 && unit + 1 < kUnits.size()) {
    bytes /= 1024.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

bool is_fused(EngineChoice engine) { return engine == EngineChoice::kFused; }

/// Tensors of the parameters' size that a model in training has. With the fused engine: parameters,
/// and in its workspace the weights and, transposed, the recurrent ones once more. With autograd:
/// parameters, gradients, and the optimizer's moments.
double copies_in_training(EngineChoice engine, OptimizerKind optimizer) {
  if (is_fused(engine)) {
    return 3.0;
  }
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

/// Those that stand beside them at the worst moment. In a training: two that Adam makes on its way
/// to an update; else the gradient of one step before autograd adds it to the others', or, at the
/// end, the weights to be saved. At a comparison's end: the initial weights, two models' weights,
/// their difference and its absolute value.
double copies_beside(const MemoryDemand& demand) {
  if (demand.engines.size() > 1) {
    return 5.0;
  }
  const bool has_autograd = !std::all_of(demand.engines.begin(), demand.engines.end(), is_fused);
  return has_autograd && demand.optimizer.optimizer == OptimizerKind::kAdam ? 2.0 : 1.0;
}

/// Bytes of the parameters with all their copies.
double weights_memory(const MemoryDemand& demand) {
  const auto C = static_cast<double>(demand.model.num_classes);
  const auto H = static_cast<double>(demand.model.hidden_size);
  const double real = bytes_of(demand.precision);
  double copies = copies_beside(demand) + (demand.in_ranks ? 1.0 : 0.0);  // what goes around
  for (const EngineChoice engine : demand.engines) {
    copies += copies_in_training(engine, demand.optimizer.optimizer);
  }
  // At the start the initial weights' float64 draft stands beside its rounding.
  return std::max(real * copies, real + sizeof(double)) * ((C + H) * H + H + H * C + C);
}

/// Bytes of what is kept of a window for its backward pass. The fused engine keeps each step's
/// state, its gradient and the logits, and does so from window to window. Autograd keeps each
/// step's input term, sum and state, and the logits with their log-softmax, until the window's end.
/// Beside that, the symbols of a window from a file.
double window_memory(const MemoryDemand& demand) {
  const auto C = static_cast<double>(demand.model.num_classes);
  const auto H = static_cast<double>(demand.model.hidden_size);
  double fused = 0.0;
  double autograd = 0.0;
  for (const EngineChoice engine : demand.engines) {
    if (is_fused(engine)) {
      fused += 2.0 * H + C;
    } else {
      autograd = 3.0 * H + 2.0 * C;
    }
  }
  const double symbols = demand.series_in_file ? 2.0 * sizeof(std::int64_t) : 0.0;
  return static_cast<double>(demand.windows.batch_size) *
         static_cast<double>(demand.windows.num_steps) *
         (bytes_of(demand.precision) * (fused + autograd) + symbols);
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

void check_memory(const MemoryDemand& demand, double available) {
  const double series = 2.0 * sizeof(std::int64_t) * static_cast<double>(demand.series_held) *
                        static_cast<double>(demand.series_length);
  const double weights = weights_memory(demand);
  const double window = window_memory(demand);
  const double evaluation = 2.0 * sizeof(std::int64_t) * static_cast<double>(demand.eval_length);
  if (evaluation + weights > available && evaluation > std::max({weights, series, window})) {
    throw InvalidOption(
        "eval_length",
        fmt::format("must fit in memory, got {}: the series needs {}, {} is available",
                    demand.eval_length, readable_bytes(evaluation), readable_bytes(available)));
  }
  if (series + weights + window <= available) {
    return;
  }
  const auto fail = [&](const char* option, std::int64_t value, double bytes, const char* what) {
    throw InvalidOption(
        option, fmt::format("must fit in memory, got {}: {} needs {}, {} is available", value, what,
                            readable_bytes(bytes), readable_bytes(available)));
  };
  const std::int64_t batch_size = demand.windows.batch_size;
  const std::int64_t num_steps = demand.windows.num_steps;
  const std::int64_t hidden_size = demand.model.hidden_size;
  if (series >= std::max(weights, window)) {
    fail("series_length", demand.series_length, series,
         demand.series_held > 1 ? "an epoch's series with the next one" : "the series");
  }
  if (weights >= window || hidden_size >= std::max(batch_size, num_steps)) {
    fail("hidden_size", hidden_size, weights + window, "the network");
  }
  if (batch_size >= num_steps) {
    fail("batch_size", batch_size, window, "a window");
  }
  fail("num_steps", num_steps, window, "a window");
}

}  // namespace unroll
