// unroll-predict, run as its users run it: at the end of a pipe, and in a conversation.

#include <gtest/gtest.h>

#include <poll.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

/// A program whose stdin and stdout are pipes of ours.
class Conversation {
 public:
  explicit Conversation(const std::vector<std::string>& words) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    if (::pipe2(input.data(), O_CLOEXEC) != 0 || ::pipe2(output.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("cannot make a pipe");
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    std::vector<std::string> copies = words;
    std::vector<char*> arguments;
    arguments.reserve(copies.size() + 1);
    for (std::string& word : copies) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const int error =
        ::posix_spawn(&child_, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(input[0]);
    ::close(output[1]);
    to_child_ = input[1];
    from_child_ = output[0];
    if (error != 0) {
      throw std::runtime_error("cannot run " + words.at(0));
    }
  }
  ~Conversation() {
    ::close(from_child_);
    (void)finish();
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void say(const std::string& text) const {
    ASSERT_EQ(::write(to_child_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  /// What it says next; nothing if that takes longer than a person would wait.
  [[nodiscard]] std::string listen(int milliseconds = 60'000) const {
    pollfd ready = {.fd = from_child_, .events = POLLIN, .revents = 0};
    std::string text(1'000, '\0');
    if (::poll(&ready, 1, milliseconds) != 1) {
      return "";
    }
    text.resize(static_cast<std::size_t>(::read(from_child_, text.data(), text.size())));
    return text;
  }

  /// Ends its input and gives its exit code.
  int finish() {
    if (to_child_ < 0) {
      return -1;
    }
    ::close(std::exchange(to_child_, -1));
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t child_ = 0;
  int to_child_ = -1;
  int from_child_ = -1;
};

class PredictTest : public ::testing::Test {
 protected:
  PredictTest() {
    expect_trains(folder, "--out run --quiet" + std::string(kSmall));
    const std::string command =
        shell_word(UNROLL_BINARY_DIR "/unroll-export") + " run --output model.pt";
    EXPECT_EQ(run_shell(command, folder.path()).exit_code, 0);
  }

  /// Runs it on what a shell command prints.
  [[nodiscard]] Outcome predict(const std::string& input,
                                const std::string& arguments = "model.pt") const {
    return run_shell(input + " | " + shell_word(program) + " " + arguments, folder.path());
  }

  /// What it says of an input that is right.
  [[nodiscard]] std::string said(const std::string& input,
                                 const std::string& arguments = "model.pt") const {
    const Outcome outcome = predict(input, arguments);
    EXPECT_EQ(outcome.exit_code, 0) << input;
    EXPECT_EQ(outcome.err, "") << input;
    return outcome.out;
  }

  /// Expects it to answer the symbols 0 1 1 and then to fail with one line.
  void expect_fails(const std::string& input, const std::string& problem) const {
    const Outcome outcome = predict(input);
    EXPECT_EQ(outcome.exit_code, 1) << input;
    EXPECT_EQ(outcome.err, "unroll-predict: standard input:" + problem + "\n");
    EXPECT_EQ(outcome.out, said("echo 0 1 1")) << input;
  }

  const std::string program = UNROLL_BINARY_DIR "/unroll-predict";
  TempDir folder;
};

TEST_F(PredictTest, ALineASymbolFromEverySource) {
  const std::string expected = said("echo 0 1 1");
  EXPECT_TRUE(std::regex_match(expected, std::regex(R"((0\.\d+\n){3})"))) << expected;
  EXPECT_EQ(said("echo 0 1 1", "run"), expected);
  EXPECT_EQ(said("echo 0 1 1", "run/weights.safetensors"), expected);
  EXPECT_EQ(said("echo 0 1 1", "run/checkpoints/last.safetensors"), expected);
}

TEST_F(PredictTest, WhateverSeparatesTheSymbols) {
  const std::string expected = said("echo 0 1 1");
  for (const std::string text :
       {"0\\n1\\n1\\n", "0\\n1\\n1", "  0 1\\t\\n\\n 1  ", "0\\r\\n1\\r\\n1\\r\\n", "00 01 1\\v"}) {
    EXPECT_EQ(said("printf '" + text + "'"), expected) << text;
  }
}

TEST_F(PredictTest, TheStateIsCarried) {
  // After the same symbol it says something else each time.
  const std::vector<std::string> lines = lines_of(said("echo 1 1 1 1"));
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), 4U);
}

TEST_F(PredictTest, AnswersASymbolBeforeTheNextIsSent) {
  std::string answers;
  Conversation conversation({program, folder / "model.pt"});
  for (const std::string symbol : {"0\n", "1\n", "1\n"}) {
    conversation.say(symbol);
    const std::string answer = conversation.listen();
    EXPECT_EQ(answer.find('\n') + 1, answer.size()) << answer;
    answers += answer;
  }
  EXPECT_EQ(conversation.finish(), 0);
  EXPECT_EQ(answers, said("echo 0 1 1"));
}

TEST_F(PredictTest, ASymbolThatArrivesInTwoPiecesIsOne) {
  Conversation conversation({program, folder / "model.pt"});
  conversation.say("0");
  EXPECT_EQ(conversation.listen(200), "");
  conversation.say("1 ");  // 01 is class 1
  EXPECT_EQ(conversation.listen(), said("echo 1"));
}

TEST_F(PredictTest, HowAStreamIsCutChangesNothing) {
  const std::string symbols = "awk 'BEGIN { for (i = 0; i < 3000; ++i) print i * i % 7 % 2 }'";
  EXPECT_EQ(said("(" + symbols + ") | dd bs=7 iflag=fullblock status=none"), said(symbols));
}

TEST_F(PredictTest, AnEmptyInputHasNoAnswer) {
  EXPECT_EQ(said("true"), "");
  EXPECT_EQ(said("printf ' \\n\\n'"), "");
}

TEST_F(PredictTest, WhatIsNoClassEndsItAfterTheAnswersBefore) {
  const std::string expected = "expected a class from 0 to 1, got ";
  expect_fails("echo 0 1 1 x 0", "1: " + expected + "'x'");
  expect_fails("printf '0\\n1 1\\n2\\n0\\n'", "3: " + expected + "'2'");
  expect_fails("echo 0 1 1 -1", "1: " + expected + "'-1'");
  expect_fails("echo 0 1 1 +1", "1: " + expected + "'+1'");
  expect_fails("echo 0 1 1 1.5", "1: " + expected + "'1.5'");
  expect_fails("echo 0 1 1 2.0", "1: " + expected + "'2.0'");
  expect_fails("echo 0 1 1 0,1", "1: " + expected + "'0,1'");
  expect_fails("printf '0 1 1 \\0'", "1: " + expected + "'?'");
  expect_fails("printf '0 1 1 99999999999999999999'", "1: " + expected + "'99999999999999999999'");
}

TEST_F(PredictTest, ANumberWithoutEndIsRefused) {
  expect_fails("(echo 0 1 1; cat /dev/zero)",
               "2: expected a class from 0 to 1, got '" + std::string(60, '?') + "...'");
}

TEST_F(PredictTest, AnInputThatCannotBeReadIsAnError) {
  const Outcome outcome = run_shell(shell_word(program) + " model.pt < .", folder.path());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "unroll-predict: standard input: cannot be read: Is a directory\n");
}

TEST_F(PredictTest, AnOutputThatCannotBeWrittenIsAnError) {
  const std::string problem = "unroll-predict: standard output: cannot be written: ";
  const Outcome full = predict("echo 0", "model.pt > /dev/full");
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_EQ(full.err, problem + "No space left on device\n");
  const Outcome closed = predict("echo 0", "model.pt >&-");
  EXPECT_EQ(closed.exit_code, 1);
  EXPECT_EQ(closed.err, problem + "Bad file descriptor\n");
  const Outcome gone = run_shell(
      "{ yes 1 | " + shell_word(program) + " model.pt; echo $? >&2; } | head -n 1 > /dev/null",
      folder.path());
  EXPECT_EQ(gone.err, problem + "Broken pipe\n1\n");
}

TEST_F(PredictTest, TakesClassesAsPandasWritesThem) {
  EXPECT_EQ(said("echo 0.0 1.0 1.00"), said("echo 0 1 1"));
}

/// The weights file of a network of one hidden unit that always has these logits.
template <class Number>
std::string network_of(const std::vector<Number>& logits) {
  const std::string dtype = sizeof(Number) == 8 ? "F64" : "F32";
  const auto classes = static_cast<std::int64_t>(logits.size());
  std::string bytes = safetensors({{"rnn.weight_ih_l0", dtype, {1, classes}},
                                   {"rnn.weight_hh_l0", dtype, {1, 1}},
                                   {"rnn.bias_ih_l0", dtype, {1}},
                                   {"rnn.bias_hh_l0", dtype, {1}},
                                   {"readout.weight", dtype, {classes, 1}, 0.0},
                                   {"readout.bias", dtype, {classes}}});
  const std::size_t bias_bytes = logits.size() * sizeof(Number);
  std::memcpy(bytes.data() + bytes.size() - bias_bytes, logits.data(), bias_bytes);
  return bytes;
}

// The softmax in Python; of float32, the shortest decimals that Python's struct packs to the same
// bytes.

TEST_F(PredictTest, OfTwoClassesSaysTheProbabilityOfClass1) {
  write_bytes(folder / "net", network_of<float>({0, -30}));
  EXPECT_EQ(said("echo 0", "net"), "9.357623e-14\n");
  EXPECT_EQ(said("echo 0 1", "net --all"), "1 9.357623e-14\n1 9.357623e-14\n");
}

TEST_F(PredictTest, OfMoreClassesSaysTheLikeliestAndItsProbability) {
  write_bytes(folder / "three", network_of<float>({0, -30, 1}));
  EXPECT_EQ(said("echo 0", "three"), "2 0.7310586\n");
  EXPECT_EQ(said("echo 0", "three --all"), "0.26894143 2.5166525e-14 0.7310586\n");
  write_bytes(folder / "four", network_of<float>({0, 2, 1, -1}));
  EXPECT_EQ(said("echo 3 0", "four"), "1 0.6439143\n1 0.6439143\n");
  write_bytes(folder / "even", network_of<float>({1, 2, 2}));
  EXPECT_TRUE(said("echo 0", "even").starts_with("1 ")) << "the first of equals";
}

TEST_F(PredictTest, NumbersOfFloat64ReadBackExactly) {
  write_bytes(folder / "net", network_of<double>({0, 2, 1, -1}));
  std::istringstream line(said("echo 0", "net --all"));
  const std::vector<std::string> classes{std::istream_iterator<std::string>(line), {}};
  const std::vector<double> expected = {0.08714431874203257, 0.6439142598879724,
                                        0.23688281808991013, 0.03205860328008499};
  ASSERT_EQ(classes.size(), 4U);
  double sum = 0.0;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(std::stod(classes[i]), expected[i]);
    sum += std::stod(classes[i]);
  }
  EXPECT_NEAR(sum, 1.0, 1e-15);
}

TEST_F(PredictTest, TheLikeliestIsThatOfAll) {
  write_bytes(folder / "four.csv", four_class_csv());
  expect_trains(folder, "--out four --quiet --data four.csv --epochs 5");
  const std::vector<std::string> likeliest = lines_of(said("echo 3 0 2 1 1", "four"));
  const std::vector<std::string> alls = lines_of(said("echo 3 0 2 1 1", "four --all"));
  ASSERT_EQ(alls.size(), 5U);
  for (std::size_t i = 0; i < alls.size(); ++i) {
    std::istringstream line(alls[i]);
    const std::vector<std::string> classes{std::istream_iterator<std::string>(line), {}};
    ASSERT_EQ(classes.size(), 4U) << alls[i];
    const auto largest = std::max_element(classes.begin(), classes.end(),
                                          [](const std::string& one, const std::string& other) {
                                            return std::stod(one) < std::stod(other);
                                          });
    EXPECT_EQ(likeliest[i], std::to_string(largest - classes.begin()) + " " + *largest);
  }
}

TEST_F(PredictTest, ASourceThatIsNoModelIsRefused) {
  const auto expect_refused = [&](const std::string& source, int code, const std::string& problem) {
    const Outcome outcome = predict("echo 0", source);
    EXPECT_EQ(outcome.exit_code, code) << source;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "unroll-predict: " + problem + "\n");
  };
  expect_refused("", 2, "MODEL.pt|RUN_DIR is missing; --help shows the usage");
  expect_refused("model.pt run", 2, "unexpected argument 'run'; --help lists the flags");
  expect_refused("nowhere", 1, "nowhere: cannot be opened: No such file or directory");
  expect_refused(".", 1, ".: is no finished run: config.json is missing");
  const std::string module = read_bytes(folder / "model.pt");
  write_bytes(folder / "half.pt", module.substr(0, module.size() / 2));
  expect_refused("half.pt", 1, "half.pt: is no TorchScript module, or a damaged one");
  const std::string weights = read_weights(folder, "run");
  write_bytes(folder / "cut", weights.substr(0, weights.size() - 1));
  const Outcome cut = predict("echo 0", "cut");
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_TRUE(cut.err.starts_with("unroll-predict: cut: ")) << cut.err;
}

// The promise is a million symbols in ten seconds, on a processor that starts the program in half a
// second of its time. A symbol that went through LibTorch's operations would take tens of
// microseconds.
TEST_F(PredictTest, FourHundredThousandSymbolsTakeLessThanEightStarts) {
  const Outcome start = predict("echo 0");
  const Outcome outcome = predict("yes 0 1 1 0 | head -n 100000");
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 400'000);
  if (!has_sanitizer()) {
    EXPECT_LT(outcome.cpu_seconds, 8 * start.cpu_seconds);
  }
}

TEST_F(PredictTest, HelpAndVersion) {
  const std::string help = said("true", "--help");
  EXPECT_NE(help.find("unroll-predict MODEL.pt|RUN_DIR [flags]"), std::string::npos) << help;
  EXPECT_NE(help.find("the likeliest one and its"), std::string::npos)
      << "what a line is: " << help;
  EXPECT_TRUE(said("true", "--version").starts_with("unroll-predict "));
}

}  // namespace
}  // namespace unroll
