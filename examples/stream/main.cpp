// Streams the inputs of a series through an exported network, one symbol at a time, and prints P(Y
// = 1) after each.
//
//     stream MODEL.pt FILE.csv        FILE.csv has a header line; its first column is the input
//
// The state goes in and comes out of every call: that is all it takes to go on for ever.

#include <torch/script.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

void stream(const char* model_path, const char* series_path) {
  const c10::InferenceMode inference;
  torch::jit::Module model = torch::jit::load(model_path);
  torch::Tensor state = model.run_method("initial_state", 1).toTensor();

  std::ifstream series(series_path);
  std::string line;
  if (!std::getline(series, line)) {
    throw std::runtime_error(std::string(series_path) + ": cannot be read, or is empty");
  }
  while (std::getline(series, line)) {
    const torch::Tensor input = torch::full({1, 1}, std::stol(line), torch::kInt64);
    const auto output = model.forward({input, state}).toTuple();
    const torch::Tensor logits = output->elements()[0].toTensor();  // [1, 1, C]
    state = output->elements()[1].toTensor();                       // [1, H]
    std::printf("%.9g\n", logits.softmax(2)[0][0][1].item<double>());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: stream MODEL.pt FILE.csv\n");
    return 2;
  }
  try {
    stream(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stream: %s\n", error.what());
    return 1;
  }
}
