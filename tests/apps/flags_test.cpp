// What every program says of its command line: of a flag that stands there twice, and of the name
// of an output that promises another format.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

/// A command that no program should begin to carry out.
struct WrongCommand {
  std::string program;
  std::string flags;
  std::string message;
};

std::ostream& operator<<(std::ostream& stream, const WrongCommand& command) {
  return stream << command.program << " " << command.flags;
}

class EveryProgramRefuses : public ::testing::TestWithParam<WrongCommand> {};

TEST_P(EveryProgramRefuses, InOneLineAndMakesNothing) {
  const TempDir folder;
  const std::string& program = GetParam().program;
  const Outcome outcome = run_shell(
      shell_word(UNROLL_BINARY_DIR "/" + program) + " " + GetParam().flags, folder.path());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, program + ": " + GetParam().message + "\n");
  EXPECT_TRUE(names_in(folder.path()).empty());
}

const std::vector<WrongCommand> repeated_flags = {
    {"unroll-train", "--data a.csv --data b.csv",
     "--data is given twice, with 'a.csv' and 'b.csv'"},
    {"unroll-train", "--epochs=1 --seed 3 --epochs 1", "--epochs is given twice, with '1' and '1'"},
    {"unroll-train", "--model manual --model builtin",
     "--model is given twice, with 'manual' and 'builtin'"},
    {"unroll-train", "--resume a --resume b", "--resume is given twice, with 'a' and 'b'"},
    {"unroll-train", "--quiet --json --quiet", "--quiet is given twice"},
    {"unroll-compare", "--tolerance 1 --tolerance 0.5",
     "--tolerance is given twice, with '1' and '0.5'"},
    {"unroll-compare", "--self-check --self-check", "--self-check is given twice"},
    {"unroll-convert", "a.csv --output b.bin --output c.bin",
     "--output is given twice, with 'b.bin' and 'c.bin'"},
    {"unroll-convert", "a.csv --force --output b.bin --force", "--force is given twice"},
    {"unroll-export", "run --output a.pt --output b.pt",
     "--output is given twice, with 'a.pt' and 'b.pt'"},
    {"unroll-predict", "run --all --all", "--all is given twice"},
    {"unroll-predict", "run --source other", "--source is given twice, with 'run' and 'other'"},
    {"unroll-sweep", "--num-steps 1,2 --num-steps 3",
     "--num-steps is given twice, with '1,2' and '3'"},
    {"unroll-sweep", "--no-report --no-report", "--no-report is given twice"},
};

INSTANTIATE_TEST_SUITE_P(AFlagGivenTwice, EveryProgramRefuses, ::testing::ValuesIn(repeated_flags));

const std::vector<WrongCommand> names_of_other_formats = {
    {"unroll-export", "run --output x.onnx",
     "--output must end in .pt or .pth or .ts, or have no ending, because it is a TorchScript "
     "file; "
     "got 'x.onnx'"},
    {"unroll-export", "run --output x.json",
     "--output must end in .pt or .pth or .ts, or have no ending, because it is a TorchScript "
     "file; "
     "got 'x.json'"},
    {"unroll-export", "run --output x.SafeTensors",
     "--output must end in .pt or .pth or .ts, or have no ending, because it is a TorchScript "
     "file; "
     "got 'x.SafeTensors'"},
    {"unroll-export", "run --output x.pt --weights w.pt",
     "--weights must end in .safetensors, or have no ending, because it is a safetensors file; got "
     "'w.pt'"},
    {"unroll-export", "run --output x.pt --weights w.npz",
     "--weights must end in .safetensors, or have no ending, because it is a safetensors file; got "
     "'w.npz'"},
    {"unroll-convert", "a.csv --output b.csv",
     "--output must end in .bin, or have no ending, because it is a series in its binary form; got "
     "'b.csv'"},
    {"unroll-train", "--out model.pt",
     "--out must not end in .pt, because it is a folder; got 'model.pt'"},
    {"unroll-compare", "--out result.json",
     "--out must not end in .json, because it is a folder; got 'result.json'"},
    {"unroll-sweep", "--out sweeps/s.CSV",
     "--out must not end in .csv, because it is a folder; got 'sweeps/s.CSV'"},
};

INSTANTIATE_TEST_SUITE_P(ANameOfAnotherFormat, EveryProgramRefuses,
                         ::testing::ValuesIn(names_of_other_formats));

TEST(OutputNames, ThatPromiseNoOtherFormatAreTaken) {
  const TempDir folder;
  expect_trains(folder, "--quiet --no-report --out run.2" + std::string(kSmall));
  for (const std::string name : {"a.pt", "a.PT", "a.pth", "a.ts", "a", "lr-0.5", ".hidden"}) {
    const Outcome outcome = run_shell(
        shell_word(UNROLL_BINARY_DIR "/unroll-export") + " run.2 --output " + name, folder.path());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
}

}  // namespace
}  // namespace unroll
