// unroll-train, run as its users run it: every kind of bad input is refused in one line that says
// where, what and what is allowed, and leaves nothing behind.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

/// What a user types after the program's name, and what comes of it.
struct BadInput {
  std::string test_name;
  std::string flags;
  int exit_code;
  std::string message;
};

std::ostream& operator<<(std::ostream& stream, const BadInput& input) {
  return stream << input.test_name;
}

/// What a user's file holds, and what is said of it.
struct BadFile {
  std::string test_name;
  std::string flags;
  std::string content;
  std::string message;
};

std::ostream& operator<<(std::ostream& stream, const BadFile& file) {
  return stream << file.test_name;
}

template <typename Input>
std::string test_name(const ::testing::TestParamInfo<Input>& input) {
  return input.param.test_name;
}

/// Runs unroll-train and checks that it is refused like this, and makes nothing.
void expect_refused(const TempDir& folder, const std::string& flags, int exit_code,
                    const std::string& message) {
  const std::set<std::string> before = names_in(folder.path());
  const Outcome outcome = train(folder, flags);
  EXPECT_EQ(outcome.exit_code, exit_code);
  EXPECT_EQ(one_line(outcome), "unroll-train: " + message);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(names_in(folder.path()), before);
}

// Flags.

class TrainRefusesFlag : public ::testing::TestWithParam<BadInput> {};

TEST_P(TrainRefusesFlag, InOneLine) {
  const TempDir folder;
  expect_refused(folder, GetParam().flags, GetParam().exit_code, GetParam().message);
}

constexpr const char* kSixty = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

const std::vector<BadInput> bad_flags = {
    {"Unknown", "--bogus", 2, "unknown flag '--bogus'; --help lists the flags"},
    {"UnknownWithValue", "--bogus=3", 2, "unknown flag '--bogus=3'; --help lists the flags"},
    {"CheckpointEveryZero", "--checkpoint-every 0", 2,
     "--checkpoint-every must be at least 1, got 0"},
    {"OutToResume", "--resume run --out other", 2,
     "--out cannot be combined with --resume, which goes on where the run is"},
    {"OtherFlagsToVerify", "--verify run --seed 1", 2, "--seed cannot be combined with --verify"},
    {"ResumeOfNothing", "--resume run", 1,
     "run: cannot be opened as a run directory: No such file or directory"},
    {"VerifyOfNothing", "--verify run", 1,
     "run: cannot be opened as a run directory: No such file or directory"},
    {"Short", "-h", 2, "unknown flag '-h'; --help lists the flags"},
    {"WithOneDash", "-batch-size 3", 2, "unknown flag '-batch-size'; --help lists the flags"},
    {"Abbreviated", "--batch 3", 2, "unknown flag '--batch'; --help lists the flags"},
    {"WithUnderscore", "--batch_size 3", 2, "unknown flag '--batch_size'; --help lists the flags"},
    {"InCapitals", "--EPOCHS 3", 2, "unknown flag '--EPOCHS'; --help lists the flags"},
    {"StrayWord", "--epochs 1 run", 2, "unexpected argument 'run'; --help lists the flags"},
    {"WordAfterTwoDashes", "-- run", 2, "unexpected argument 'run'; --help lists the flags"},
    {"EmptyWord", "''", 2, "unexpected argument ''; --help lists the flags"},

    {"Model", "--model lstm", 2, "--model must be one of manual|builtin, got 'lstm'"},
    {"ModelEmpty", "--model=", 2, "--model must be one of manual|builtin, got ''"},
    {"Engine", "--engine fast", 2, "--engine must be one of auto|autograd|fused, got 'fast'"},
    {"FusedAdam", "--engine fused --optimizer adam", 2,
     "--engine fused trains with the optimizer sgd only, got adam"},
    {"Device", "--device tpu", 2, "--device must be one of auto|cpu|cuda, got 'tpu'"},
    {"Optimizer", "--optimizer SGD", 2, "--optimizer must be one of sgd|adagrad|adam, got 'SGD'"},
    {"Dtype", "--dtype float16", 2, "--dtype must be one of float32|float64, got 'float16'"},
    {"HostileValue", "--model 'a\nb\x1B[2J\xFF'", 2,
     "--model must be one of manual|builtin, got 'a?b?[2J?'"},
    {"EndlessValue", "--model $(printf '%0100000d' 0 | tr 0 x)", 2,
     std::string("--model must be one of manual|builtin, got '") + kSixty + "...'"},

    {"BatchSizeZero", "--batch-size 0", 2, "--batch-size must be at least 1, got 0"},
    {"BatchSizeNegative", "--batch-size -3", 2, "--batch-size must be at least 1, got -3"},
    {"NumStepsZero", "--num-steps 0", 2, "--num-steps must be at least 1, got 0"},
    {"HiddenSizeZero", "--hidden-size 0", 2, "--hidden-size must be at least 1, got 0"},
    {"SeriesLengthZero", "--series-length 0", 2, "--series-length must be at least 1, got 0"},
    {"EpochsZero", "--epochs 0", 2, "--epochs must be from 1 to 1000000000, got 0"},
    {"EpochsAbsurd", "--epochs 1000000001", 2,
     "--epochs must be from 1 to 1000000000, got 1000000001"},
    {"LogEveryZero", "--log-every 0", 2, "--log-every must be at least 1, got 0"},
    {"ThreadsZero", "--threads 0", 2, "--threads must be from 1 to 1024, got 0"},
    {"ThreadsAbsurd", "--threads 100000", 2, "--threads must be from 1 to 1024, got 100000"},
    {"SeedNegative", "--seed -1", 2, "--seed must be from 0 to 4294967295, got -1"},
    {"SeedAbove32Bits", "--seed 4294967296", 2,
     "--seed must be from 0 to 4294967295, got 4294967296"},
    {"NumberAbove63Bits", "--epochs 9223372036854775808", 2,
     "--epochs must be an integer of at most 63 bits, got '9223372036854775808'"},
    {"NumberWithFraction", "--batch-size 1.5", 2,
     "--batch-size must be an integer of at most 63 bits, got '1.5'"},
    {"NumberWithUnit", "--series-length 1M", 2,
     "--series-length must be an integer of at most 63 bits, got '1M'"},
    {"NumberWithExponent", "--series-length 1e6", 2,
     "--series-length must be an integer of at most 63 bits, got '1e6'"},
    {"NumberWithSpace", "--epochs ' 1'", 2,
     "--epochs must be an integer of at most 63 bits, got ' 1'"},
    {"NumberEmpty", "--epochs=", 2, "--epochs must be an integer of at most 63 bits, got ''"},
    {"NumberIsAFlag", "--epochs --quiet", 2,
     "--epochs must be an integer of at most 63 bits, got '--quiet'"},
    {"BatchLargerThanTheSeries", "--series-length 10 --batch-size 11", 2,
     "--batch-size must be at most the series' 10 symbols, got 11; --batch-size 1 --num-steps 10 "
     "would fit"},
    {"WindowLongerThanARow", "--series-length 100 --num-steps 34", 2,
     "--num-steps must be at most 33, the length of a row (100 symbols in 3 rows), got 34; "
     "--batch-size 2 --num-steps 34 would fit"},

    {"LearningRateZero", "--learning-rate 0", 2,
     "--learning-rate must be a finite positive number, got 0"},
    {"LearningRateNegative", "--learning-rate -0.2", 2,
     "--learning-rate must be a finite positive number, got -0.2"},
    {"LearningRateInfinite", "--learning-rate inf", 2,
     "--learning-rate must be a finite positive number, got inf"},
    {"LearningRateNan", "--learning-rate nan", 2,
     "--learning-rate must be a finite positive number, got nan"},
    {"LearningRateAboveFloat64", "--learning-rate 1e400", 2,
     "--learning-rate must be a number, got '1e400'"},
    {"LearningRateWord", "--learning-rate fast", 2, "--learning-rate must be a number, got 'fast'"},
    {"LearningRateWithComma", "--learning-rate 0,2", 2,
     "--learning-rate must be a number, got '0,2'"},

    {"SeriesLengthBesideData", "--data my.csv --series-length 10", 2,
     "--series-length cannot be combined with --data, whose file has a length of its own"},
    {"OutEmpty", "--out ''", 2, "--out must not be empty"},
    {"DataEmpty", "--data=", 2, "--data must not be empty"},
    {"InitEmpty", "--init=", 2, "--init must not be empty"},

    {"DataMissing", "--data my.csv", 1, "my.csv: cannot be opened: No such file or directory"},
    {"DataAFolder", "--data .", 1, ".: cannot be read: Is a directory"},
    {"InitMissing", "--init w.safetensors", 1,
     "w.safetensors: cannot be opened: No such file or directory"},
    {"InitAFolder", "--init .", 1, ".: cannot be read: Is a directory"},
    {"OutNameTooLong", "--out $(printf '%0300d' 0)", 1,
     std::string(300, '0').append(": cannot be made a run directory: File name too long")},
};

INSTANTIATE_TEST_SUITE_P(All, TrainRefusesFlag, ::testing::ValuesIn(bad_flags),
                         test_name<BadInput>);

TEST(TrainRefuses, AFlagWithoutItsValueByName) {
  const TempDir folder;
  const Outcome outcome = train(folder, "--epochs 1 --batch-size");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(one_line(outcome).find("--batch-size"), std::string::npos) << outcome.err;
}

TEST(TrainRefuses, AValueForAFlagThatTakesNoneByName) {
  const TempDir folder;
  const Outcome outcome = train(folder, "--json='yes please'");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(one_line(outcome).find("--json"), std::string::npos) << outcome.err;
  EXPECT_NE(one_line(outcome).find("'yes please'"), std::string::npos) << outcome.err;
}

TEST(TrainRefuses, ALearningRateThatIsNoFloat32) {
  const TempDir folder;
  const Outcome outcome = train(folder, "--learning-rate 1e39" + std::string(kSmall));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(one_line(outcome).find("unroll-train: --learning-rate must be "), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find("1e+39"), std::string::npos) << outcome.err;
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(TrainRefuses, InOneLineWhateverAFileIsCalled) {
  const TempDir folder;
  const Outcome outcome = train(folder, "--data 'no\nsuch.csv'");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(one_line(outcome).find("such.csv: cannot be opened: No such file or directory"),
            std::string::npos)
      << outcome.err;
}

// Sizes whose memory cannot be had. What is available differs from machine to machine.

class TrainRefusesSize : public ::testing::TestWithParam<BadInput> {};

TEST_P(TrainRefusesSize, ThatNoMachineHasTheMemoryFor) {
  const TempDir folder;
  const Outcome outcome = train(folder, GetParam().flags);
  EXPECT_EQ(outcome.exit_code, GetParam().exit_code);
  const std::string line = one_line(outcome);
  EXPECT_EQ(line.find("unroll-train: " + GetParam().message), 0U) << line;
  EXPECT_TRUE(line.ends_with(" is available")) << line;
  EXPECT_TRUE(names_in(folder.path()).empty());
}

const std::vector<BadInput> too_large = {
    {"HiddenSize", "--hidden-size 10000000", 2,
     "--hidden-size must fit in memory, got 10000000: the network needs "},
    {"HiddenSizeLargest", "--hidden-size 9223372036854775807", 2,
     "--hidden-size must fit in memory, got 9223372036854775807: the network needs "},
    {"SeriesLength", "--series-length 1000000000000", 2,
     "--series-length must fit in memory, got 1000000000000: an epoch's series with the next one "
     "needs 29.1 TiB, "},
    {"SeriesLengthLargest", "--series-length 9223372036854775807", 2,
     "--series-length must fit in memory, got 9223372036854775807: an epoch's series with the "
     "next one needs 256.0 EiB, "},
    {"BatchSizeLargest",
     "--series-length 9223372036854775807 --num-steps 1 --batch-size 9223372036854775807", 2,
     "--batch-size must fit in memory, got 9223372036854775807: a window needs "},
    {"NumStepsLargest",
     "--series-length 9223372036854775807 --batch-size 1 --num-steps 9223372036854775807", 2,
     "--num-steps must fit in memory, got 9223372036854775807: a window needs "},
};

INSTANTIATE_TEST_SUITE_P(All, TrainRefusesSize, ::testing::ValuesIn(too_large),
                         test_name<BadInput>);

TEST(TrainRefuses, ASizeBeyondTheShellsMemoryLimit) {
  if (has_sanitizer()) {
    GTEST_SKIP() << "a sanitizer needs its terabytes of address space";
  }
  const TempDir folder;
  const Outcome outcome = run_shell(
      "ulimit -v 4000000; " + train_command("--series-length 400000000 --epochs 1"), folder.path());
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(one_line(outcome).find("unroll-train: --series-length must fit in memory, got "
                                   "400000000: the series needs 6.0 GiB, "),
            0U)
      << outcome.err;
}

TEST(TrainRefuses, CudaWithoutADriver) {
  if (::dlopen("libcuda.so.1", RTLD_LAZY) != nullptr) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  const TempDir folder;
  expect_refused(folder, "--device cuda", 2,
                 "--device cuda does not work here: no NVIDIA driver (libcuda.so.1) was found; use "
                 "cpu or auto");
  expect_trains(folder, "--out run --device auto" + std::string(kSmall));
  EXPECT_EQ(read_json(folder / "run/config.json")["device"], "cpu");
}

// A user's own series.

class TrainRefusesCsv : public ::testing::TestWithParam<BadFile> {};

TEST_P(TrainRefusesCsv, ByFileAndLine) {
  const TempDir folder;
  write_bytes(folder / "my.csv", GetParam().content);
  expect_refused(folder, "--data my.csv" + GetParam().flags, 1, GetParam().message);
}

const std::vector<BadFile> bad_csv = {
    {"Empty", "", "", "my.csv: is empty; expected the header 'input,target' and one row a symbol"},
    {"WrongHeader", "", "x,y\n0,1\n", "my.csv:1: expected the header 'input,target', got 'x,y'"},
    {"HeaderOnly", "", "input,target\n", "my.csv: has a header but no rows"},
    {"NoInteger", "", "input,target\n0,1\n1,0.5\n",
     "my.csv:3: target must be an integer class, got '0.5'"},
    {"Utf16", "", std::string("\xFF\xFEi\0n\0p\0u\0t\0", 12),
     "my.csv: is UTF-16 text, expected CSV in UTF-8; iconv -f UTF-16 -t UTF-8 converts it"},
    {"Gzip", "", std::string("\x1F\x8B\x08\0\0", 5),
     "my.csv: is a gzip file, expected CSV in UTF-8; gunzip unpacks it"},
    {"NegativeClass", "", "input,target\n-1,0\n",
     "my.csv:2: input must be a class from 0 to 65535, got '-1'"},
    {"RaggedRow", "", "input,target\n0,1\n1,0,1\n",
     "my.csv:3: expected 2 columns (input,target), got 3"},
    {"BlankLine", "", "input,target\r\n\r\n0,1\r\n",
     "my.csv:2: expected 2 columns (input,target), got an empty line"},
};

INSTANTIATE_TEST_SUITE_P(All, TrainRefusesCsv, ::testing::ValuesIn(bad_csv), test_name<BadFile>);

TEST(TrainRefuses, ABatchOrWindowThatAUsersSeriesDoesNotHold) {
  const TempDir folder;
  write_bytes(folder / "my.csv", "input,target\n0,1\n1,0\n");
  expect_refused(folder, "--data my.csv", 2,
                 "--batch-size must be at most the series' 2 symbols, got 3; --batch-size 1 "
                 "--num-steps 2 would fit");
  expect_refused(folder, "--data my.csv --batch-size 1", 2,
                 "--num-steps must be at most 2, the length of a row (2 symbols in 1 rows), got "
                 "10; --batch-size 1 --num-steps 2 would fit");
}

// Weights to start from.

class TrainRefusesInit : public ::testing::TestWithParam<BadFile> {};

TEST_P(TrainRefusesInit, ByFileAndTensor) {
  const TempDir folder;
  write_bytes(folder / "w.safetensors", GetParam().content);
  expect_refused(folder, "--init w.safetensors" + GetParam().flags, 1,
                 "w.safetensors: " + GetParam().message);
}

/// A default model's file in which one tensor is replaced.
std::string with(const Tensor& replacement) {
  std::vector<Tensor> tensors = model_tensors();
  for (Tensor& tensor : tensors) {
    if (tensor.name == replacement.name) {
      tensor = replacement;
    }
  }
  return safetensors(tensors);
}

/// A default model's file with one tensor more.
std::string with_extra(const Tensor& extra) {
  std::vector<Tensor> tensors = model_tensors();
  tensors.push_back(extra);
  return safetensors(tensors);
}

/// A default model's file without its last tensor.
std::string without_last() {
  std::vector<Tensor> tensors = model_tensors();
  tensors.pop_back();
  return safetensors(tensors);
}

/// A default model's file without its last byte.
std::string cut_short() {
  std::string bytes = safetensors(model_tensors());
  bytes.pop_back();
  return bytes;
}

const std::vector<BadFile> bad_init = {
    {"Empty", "", "", "is not a safetensors file: 0 bytes, expected at least 8"},
    {"Text", "", "this is a text\n",
     "is truncated or not a safetensors file: its header claims 2338328219631577204 bytes, 7 are "
     "left"},
    {"HeaderThatLiesAboutItsSize", "", std::string(8, '\xFF').append("{}"),
     "is truncated or not a safetensors file: its header claims 18446744073709551615 bytes, 2 are "
     "left"},
    {"HeaderThatIsNoJson", "", std::string("\4\0\0\0\0\0\0\0{{}}", 12),
     "its header is no valid JSON"},
    {"Truncated", "", cut_short(),
     "is truncated or lies about its size: readout.bias claims bytes 160 to 168 of 167"},
    {"TrailingByte", "", safetensors(model_tensors()).append("x"),
     "has 1 bytes after its last tensor"},
    {"WrongShape", "", with({"rnn.weight_ih_l0", "F32", {2, 4}}),
     "rnn.weight_ih_l0 must have shape [4, 2], got [2, 4]"},
    {"OfAnotherHiddenSize", " --hidden-size 5", safetensors(model_tensors()),
     "rnn.weight_ih_l0 must have shape [5, 2], got [4, 2]"},
    {"WrongDtype", "", with({"readout.bias", "I16", {2}}),
     "readout.bias must be F32 for a float32 run, got I16"},
    {"HalfPrecision", " --dtype float64", with({"readout.bias", "BF16", {2}}),
     "readout.bias must be F32 or F64, got BF16"},
    {"Float64IntoAFloat32Run", "", safetensors(model_tensors("F64")),
     "rnn.weight_ih_l0 must be F32 for a float32 run, got F64"},
    {"MissingTensor", "", without_last(), "has no tensor readout.bias"},
    {"ExtraTensor", "", with_extra({"rnn.weight_ih_l1", "F32", {4, 4}}),
     "has a tensor rnn.weight_ih_l1 that the model does not know"},
    {"NoTensors", "", safetensors({}), "has no tensor rnn.weight_ih_l0"},
    {"Nan", "", with({"rnn.bias_hh_l0", "F32", {4}, std::nan("")}),
     "rnn.bias_hh_l0 has a value that is not finite"},
    {"Infinity", "", with({"readout.weight", "F32", {2, 4}, INFINITY}),
     "readout.weight has a value that is not finite"},
};

INSTANTIATE_TEST_SUITE_P(All, TrainRefusesInit, ::testing::ValuesIn(bad_init), test_name<BadFile>);

// Run directories.

TEST(TrainRefuses, AFolderWithAnythingInIt) {
  const TempDir folder;
  write_bytes(folder / "notes.txt", "mine");
  expect_refused(folder, "--out .", 1, ".: is not empty; a run needs a new or empty folder");
}

TEST(TrainRefuses, AFileForARunDirectory) {
  const TempDir folder;
  write_bytes(folder / "file", "mine");
  expect_refused(folder, "--out file", 1, "file: cannot be made a run directory: File exists");
  expect_refused(folder, "--out file/run", 1,
                 "file/run: cannot be made a run directory: Not a directory");
  EXPECT_EQ(read_bytes(folder / "file"), "mine");
}

TEST(TrainRefuses, ToTouchAnExistingRun) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  std::map<std::string, std::string> before;
  for (const std::string& name : run_files) {
    if (name != "checkpoints") {
      before[name] = read_bytes(folder / ("run/" + name));
    }
  }
  const auto checkpoints = names_in(folder / "run/checkpoints");
  expect_refused(folder, "--out run --seed 1" + std::string(kSmall), 1,
                 "run: is not empty; a run needs a new or empty folder");
  EXPECT_EQ(names_in(folder / "run"), run_files);
  EXPECT_EQ(names_in(folder / "run/checkpoints"), checkpoints);
  for (const auto& [name, bytes] : before) {
    EXPECT_EQ(read_bytes(folder / ("run/" + name)), bytes) << name;
  }
}

}  // namespace
}  // namespace unroll
