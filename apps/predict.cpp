// unroll-predict: streams symbols through a trained network, and says after each what it expects.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
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

/// Answers in lines of text, one a symbol.
class Answers {
 public:
  Answers(const Predictor& predictor, bool all)
      : classes_(static_cast<std::size_t>(predictor.num_classes())),
        precision_(predictor.precision()),
        all_(all) {}

  /// The lines of these probabilities, [symbols, C].
  [[nodiscard]] std::string describe(const std::vector<double>& probabilities) const {
    std::string text;
    for (std::size_t first = 0; first < probabilities.size(); first += classes_) {
      text += line({probabilities.data() + first, classes_}) + '\n';
    }
    return text;
  }

 private:
  /// What is said of one symbol, whose classes have these probabilities.
  [[nodiscard]] std::string line(std::span<const double> probabilities) const {
    if (all_) {
      std::vector<std::string> numbers;
      for (const double probability : probabilities) {
        numbers.push_back(number(probability));
      }
      return fmt::format("{}", fmt::join(numbers, " "));
    }
    if (classes_ > 2) {
      const auto likeliest = std::max_element(probabilities.begin(), probabilities.end());
      return fmt::format("{} {}", likeliest - probabilities.begin(), number(*likeliest));
    }
    return number(classes_ == 2 ? probabilities[1] : 0.0);  // one class is never class 1
  }

  /// The shortest text that reads back as the same number of the network's type.
  [[nodiscard]] std::string number(double probability) const {
    return precision_ == Precision::kFloat64 ? fmt::to_string(probability)
                                             : fmt::to_string(static_cast<float>(probability));
  }

  std::size_t classes_;
  Precision precision_;
  bool all_;
};

/// Answers every symbol of the input as soon as it is there.
void stream(Predictor& predictor, bool all) {
  cli::SymbolReader reader(predictor.num_classes(), kInput);
  const Answers answers(predictor, all);
  bool is_open = true;
  while (is_open) {
    const std::string text = read_input();
    is_open = !text.empty();
    const cli::ReadSymbols read = is_open ? reader.read(text) : reader.finish();
    if (!read.symbols.empty()) {
      cli::print_result(answers.describe(predictor.advance(read.symbols)));
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
      "Reads symbols from stdin and prints a line after each: for two classes the probability\n"
      "that its target is class 1, such as 0.46153846; for more classes the likeliest one and its\n"
      "probability, such as 3 0.87. Every number reads back exactly.");
  flags.group("Prediction");
  flags.positional("source", source, "MODEL.pt|RUN_DIR",
                   "a module of unroll-export's, a finished run, a checkpoint, or a weights file");
  flags.toggle("all", all, "print every class's probability instead, from class 0 on");
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
