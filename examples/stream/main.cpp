// Streams the inputs of a series through an exported network, one symbol at a time, and prints P(Y
// = 1) after each.
//
//     stream MODEL.pt FILE.csv        FILE.csv has a header line; its first column is the input
//
// The state goes in and comes out of every call: that is all it takes to go on for ever.

#include <torch/script.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

/// The first column of a line, a class below num_classes; `where` is for the error.
std::int64_t parse_input(const std::string& line, std::int64_t num_classes,
                         const std::string& where) {
  const std::string field = line.substr(0, line.find_first_of(",\r"));
  std::int64_t input = -1;
  const char* end = field.data() + field.size();
  if (std::from_chars(field.data(), end, input).ptr != end || input < 0 || input >= num_classes) {
    throw std::runtime_error(where + ": the input must be a class from 0 to " +
                             std::to_string(num_classes - 1) + ", got '" + field + "'");
  }
  return input;
}

void stream(const char* model_path, const std::string& series_path) {
  const c10::InferenceMode inference;
  torch::jit::Module model = torch::jit::load(model_path);
  torch::Tensor state = model.run_method("initial_state", 1).toTensor();
  const std::int64_t num_classes = model.attr("readout").toModule().attr("bias").toTensor().numel();

  std::ifstream series(series_path);
  std::string line;
  if (!std::getline(series, line)) {
    throw std::runtime_error(series_path + ": cannot be read, or is empty");
  }
  for (int number = 2; std::getline(series, line); ++number) {
    const std::int64_t symbol =
        parse_input(line, num_classes, series_path + ":" + std::to_string(number));
    const torch::Tensor input = torch::full({1, 1}, symbol, torch::kInt64);
    const auto output = model.forward({input, state}).toTuple();
    const torch::Tensor logits = output->elements()[0].toTensor();  // [1, 1, C]
    state = output->elements()[1].toTensor();                       // [1, H]
    std::printf("%.9g\n", logits.softmax(2)[0][0][1].item<double>());
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw std::runtime_error("standard output cannot be written");
  }
}

/// Says in a line what went wrong.
int fail(const std::string& message) {
  std::fprintf(stderr, "stream: %s\n", message.substr(0, message.find('\n')).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: stream MODEL.pt FILE.csv\n");
    return 2;
  }
  try {
    stream(argv[1], argv[2]);
  } catch (const c10::Error& error) {  // what() has a backtrace
    return fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
