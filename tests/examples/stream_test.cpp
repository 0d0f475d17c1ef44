// examples/stream, a program that has never seen Unroll, against the model that was trained.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <unroll/model/manual_rnn.h>
#include <unroll/run/weights_file.h>

#include "../support/run_program.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using testing::Outcome;
using testing::TempDir;

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() {
    EXPECT_EQ(
        run(UNROLL_BINARY_DIR "/unroll-train --epochs 1 --series-length 30000 --quiet --out run")
            .exit_code,
        0);
    EXPECT_EQ(run(UNROLL_BINARY_DIR "/unroll-export run --output model.pt").exit_code, 0);
  }

  [[nodiscard]] Outcome run(const std::string& command) const {
    return testing::run_shell(command, folder.path());
  }

  /// Expects exit 1 and one line that begins so.
  void expect_fails(const std::string& arguments, const std::string& message) const {
    const Outcome outcome = run(UNROLL_STREAM " " + arguments);
    EXPECT_EQ(outcome.exit_code, 1) << arguments;
    EXPECT_TRUE(outcome.err.starts_with("stream: " + message)) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n') + 1, outcome.err.size()) << outcome.err;
  }

  TempDir folder;
};

TEST_F(StreamTest, PrintsTheModelsProbabilities) {
  constexpr std::int64_t kSymbols = 10'000;
  const auto series = testing::scrambled_series(kSymbols, 2);
  std::ostringstream csv;
  csv << "input,target\n";
  for (const std::int64_t input : series->inputs) {
    csv << input << ",0\n";
  }
  testing::write_bytes(folder / "series.csv", csv.str());
  const Outcome outcome = run(UNROLL_STREAM " model.pt series.csv");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;

  const torch::NoGradGuard no_grad;
  ManualRnn model({.num_classes = 2, .hidden_size = 4});
  model.set_weights(load_weights(folder / "run/weights.safetensors"));
  const torch::Tensor logits =
      model.forward(testing::int64(series->inputs, {1, kSymbols}), model.initial_state(1)).logits;
  std::vector<double> printed;
  std::istringstream lines(outcome.out);
  for (double probability = 0.0; lines >> probability;) {
    printed.push_back(probability);
  }
  testing::expect_near(printed, testing::numbers(logits.softmax(2).select(2, 1)), 1e-6);
}

TEST_F(StreamTest, SaysWhatIsWrongInALine) {
  EXPECT_EQ(run(UNROLL_STREAM).exit_code, 2);
  expect_fails("model.pt nowhere.csv", "nowhere.csv: cannot be read, or is empty\n");
  testing::write_bytes(folder / "series.csv", "input\n0\n");
  expect_fails("nowhere.pt series.csv", "");
  expect_fails("series.csv series.csv", "");
  expect_fails("model.pt series.csv >/dev/full", "standard output cannot be written\n");
}

TEST_F(StreamTest, NamesTheLineThatIsWrong) {
  for (const std::string field : {"2", "-1", "x", "1x", "", "99999999999999999999"}) {
    testing::write_bytes(folder / "series.csv", "input,target\n0,1\r\n" + field + ",1\n");
    expect_fails("model.pt series.csv",
                 "series.csv:3: the input must be a class from 0 to 1, got '" + field + "'\n");
  }
}

}  // namespace
}  // namespace unroll
