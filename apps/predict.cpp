// unroll-predict: streams symbols through a trained network, and says after each what it expects.

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/export/predictor.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/symbol_reader.h"

namespace {

using namespace unroll;

constexpr const char* kProgram = "unroll-predict";
constexpr const char* kInput = "standard input";

/// Waits for input and gives what there is of it; empty at its end.
std::string read_input() {
  std::array<char, 65'536>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  ssize_t count = -1;
  do {
    count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    throw FileError(kInput, std::string("cannot be read: ") + std::strerror(errno));
  }
  return {buffer.data(), static_cast<std::size_t>(count)};
}

/// A line a symbol: P(Y = 1), or with `all` every class's probability.
std::string describe(const std::vector<double>& probabilities, std::int64_t num_classes, bool all) {
  const auto classes = static_cast<std::size_t>(num_classes);
  std::string text;
  const auto line = std::back_inserter(text);
  for (std::size_t first = 0; first < probabilities.size(); first += classes) {
    if (!all) {  // a network of one class never expects class 1
      fmt::format_to(line, "{:.6f}\n", classes > 1 ? probabilities[first + 1] : 0.0);
      continue;
    }
    for (std::size_t i = 0; i < classes; ++i) {
      fmt::format_to(line, "{:.6f}{}", probabilities[first + i], i + 1 < classes ? ' ' : '\n');
    }
  }
  return text;
}

/// Answers every symbol of the input as soon as it is there.
void stream(Predictor& predictor, bool all) {
  const std::int64_t num_classes = predictor.num_classes();
  cli::SymbolReader reader(num_classes, kInput);
  bool is_open = true;
  while (is_open) {
    const std::string text = read_input();
    is_open = !text.empty();
    const cli::ReadSymbols read = is_open ? reader.read(text) : reader.finish();
    if (!read.symbols.empty()) {
      cli::print_result(describe(predictor.advance(read.symbols), num_classes, all));
    }
    if (!read.error.empty()) {
      throw Error(read.error);
    }
  }
}

int predict(int argc, char** argv) {
  std::string source;
  bool all = false;
  cli::Flags flags(
      kProgram,
      "Reads symbols from stdin and prints after each the probability that its target is class 1.");
  flags.group("Prediction");
  flags.positional("source", source, "MODEL.pt|RUN_DIR",
                   "a module of unroll-export's, a finished run, a checkpoint, or a weights file");
  flags.toggle("all", all, "print the probability of every class, from class 0 on");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  Predictor predictor = Predictor::open(source);
  stream(predictor, all);
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return unroll::cli::run_app(kProgram, [&] { return predict(argc, argv); });
}
