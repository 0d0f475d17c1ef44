// unroll-train, run as its users run it: what it leaves on disk, on stdout and on stderr.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "train_program.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using namespace testing;

// What a run leaves.

TEST(Train, LeavesExactlyItsFiles) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"run"});
  EXPECT_EQ(names_in(folder / "run"), run_files);
}

TEST(Train, VerifiesARunFileByFile) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  const Outcome good = train(folder, "--verify run");
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_TRUE(good.err.empty()) << good.err;
  for (const std::string& line : lines_of(good.out)) {
    EXPECT_TRUE(line.starts_with("good     run/")) << line;
  }
  EXPECT_EQ(run_shell("sha256sum -c SHA256SUMS", folder / "run").exit_code, 0);
  std::string bytes = read_bytes(folder / "run/weights.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(folder / "run/weights.safetensors", bytes);
  const Outcome damaged = train(folder, "--verify run");
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_NE(damaged.out.find("DAMAGED  run/weights.safetensors: is damaged: its SHA-256"),
            std::string::npos)
      << damaged.out;
}

TEST(Train, MakesTheParentsOfItsFolder) {
  const TempDir folder;
  expect_trains(folder, "--out a/b/run" + std::string(kSmall));
  EXPECT_EQ(names_in(folder / "a/b/run"), run_files);
}

TEST(Train, TakesAnEmptyFolder) {
  const TempDir folder;
  expect_trains(folder, "--out ." + std::string(kSmall));
  EXPECT_EQ(names_in(folder.path()), run_files);
}

TEST(Train, DefaultFolderIsUnderRuns) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--model builtin --json" + std::string(kSmall));
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"runs"});
  const std::set<std::string> runs = names_in(folder / "runs");
  ASSERT_EQ(runs.size(), 1U);
  const std::string run = "runs/" + *runs.begin();
  EXPECT_TRUE(std::regex_match(run, std::regex(R"(runs/\d{8}T\d{6}Z-builtin)"))) << run;
  EXPECT_EQ(Json::parse(outcome.out)["run_directory"], run);
  EXPECT_EQ(names_in(folder / run), run_files);
}

TEST(Train, MetricsHaveARowForTheShorterRest) {
  const TempDir folder;
  expect_trains(folder, "--out run --series-length 300 --epochs 2 --log-every 4");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:4 1:8 1:10 2:4 2:8 2:10 ");
}

TEST(Train, MetricsHaveNoRestWhereThereIsNone) {
  const TempDir folder;
  expect_trains(folder, "--out run --series-length 300 --epochs 2 --log-every 5");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:5 1:10 2:5 2:10 ");
}

TEST(Train, MetricsHaveARowAnEpochWhereLogEveryIsLarge) {
  const TempDir folder;
  expect_trains(folder, "--out run --series-length 300 --epochs 2 --log-every 9223372036854775807");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:10 2:10 ");
}

TEST(Train, DropsWhatFillsNoWindow) {
  // 319 symbols in 3 rows of 106: ten windows of 10, six symbols and one left over.
  const TempDir folder;
  expect_trains(folder, "--out run --series-length 319 --epochs 1 --log-every 1000");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:10 ");
}

TEST(Train, TheSmallestRunIsOneWindowOfOneSymbol) {
  const TempDir folder;
  expect_trains(folder,
                "--out run --series-length 1 --batch-size 1 --num-steps 1 --hidden-size 1 "
                "--epochs 1 --log-every 1");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:1 ");
}

TEST(Train, RowsAreMeansOfTheirWindows) {
  // The same run, row by window and row by four windows.
  const TempDir folder;
  expect_trains(folder, "--out each --series-length 300 --epochs 1 --log-every 1");
  expect_trains(folder, "--out four --series-length 300 --epochs 1 --log-every 4");
  const std::vector<double> each = read_losses(folder, "each");
  const std::vector<double> four = read_losses(folder, "four");
  ASSERT_EQ(each.size(), 10U);
  ASSERT_EQ(four.size(), 3U);
  EXPECT_NEAR(four[0], (each[0] + each[1] + each[2] + each[3]) / 4, 2e-9);
  EXPECT_NEAR(four[1], (each[4] + each[5] + each[6] + each[7]) / 4, 2e-9);
  EXPECT_NEAR(four[2], (each[8] + each[9]) / 2, 2e-9);
}

TEST(Train, SummaryAgreesWithMetrics) {
  const TempDir folder;
  expect_trains(folder, "--out run" + std::string(kSmall));
  const std::vector<double> losses = read_losses(folder, "run");
  const Json summary = read_json(folder / "run/summary.json");
  ASSERT_EQ(losses.size(), 6U);
  EXPECT_EQ(summary["final_loss"].get<double>(), losses[5]);
  EXPECT_NEAR(summary["last_epoch_loss"].get<double>(),
              (4 * losses[3] + 4 * losses[4] + 2 * losses[5]) / 10, 2e-9);
  EXPECT_EQ(summary["windows"], 20);
  EXPECT_EQ(summary["epochs"], 2);
  const double train_seconds = summary["train_seconds"].get<double>();
  const double data_seconds = summary["data_seconds"].get<double>();
  EXPECT_NEAR(summary["microseconds_per_window"].get<double>(), train_seconds / 20 * 1e6, 1e-6);
  EXPECT_GT(train_seconds, 0.0);
  EXPECT_GT(data_seconds, 0.0);
  EXPECT_GE(summary["seconds"].get<double>(), train_seconds + data_seconds);
}

TEST(Train, SummaryHasTheFloors) {
  const TempDir folder;
  expect_trains(folder, "--out run --num-steps 5" + std::string(kSmall));
  const Json floors = read_json(folder / "run/summary.json")["floors"];
  EXPECT_NEAR(floors["none"].get<double>(), 0.6615632, 5e-8);
  EXPECT_NEAR(floors["per_lag"]["3"].get<double>(), 0.5191667, 5e-8);
  EXPECT_NEAR(floors["per_lag"]["8"].get<double>(), 0.6277412, 5e-8);
  EXPECT_NEAR(floors["all"].get<double>(), 0.4544544, 5e-8);
  EXPECT_NEAR(floors["no_carry"].get<double>(), 0.6046, 5e-5);
}

TEST(Train, WeightsHaveTheContractsNamesAndShapes) {
  const TempDir folder;
  expect_trains(folder, "--out run --hidden-size 5 --dtype float64" + std::string(kSmall));
  const std::string bytes = read_weights(folder, "run");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  const Json header = Json::parse(bytes.substr(8, length));
  const std::map<std::string, std::vector<int>> shapes = {
      {"rnn.weight_ih_l0", {5, 2}}, {"rnn.weight_hh_l0", {5, 5}}, {"rnn.bias_ih_l0", {5}},
      {"rnn.bias_hh_l0", {5}},      {"readout.weight", {2, 5}},   {"readout.bias", {2}}};
  EXPECT_EQ(header.size(), shapes.size());
  for (const auto& [name, shape] : shapes) {
    ASSERT_TRUE(header.contains(name)) << name;
    EXPECT_EQ(header[name]["shape"].get<std::vector<int>>(), shape) << name;
    EXPECT_EQ(header[name]["dtype"], "F64") << name;
  }
  const auto begin = header["rnn.bias_hh_l0"]["data_offsets"][0].get<std::size_t>();
  EXPECT_EQ(bytes.substr(8 + length + begin, 40), std::string(40, '\0'));
}

TEST(Train, ConfigRepeatsTheRun) {
  // Every option unlike its default, taken back from config.json key by key.
  const TempDir folder;
  expect_trains(folder,
                "--out run --model builtin --epochs 2 --series-length 400 --batch-size 2 "
                "--num-steps 7 --hidden-size 5 --learning-rate 0.012345678901234567 --optimizer "
                "adam --dtype float64 --seed 4294967295 --threads 2 --log-every 3 --engine "
                "autograd --device cpu");
  const Json config = read_json(folder / "run/config.json");
  std::string flags = "--out again";
  for (const std::string key : {"model", "epochs", "series_length", "batch_size", "num_steps",
                                "hidden_size", "learning_rate", "optimizer", "dtype", "seed",
                                "threads", "log_every", "engine", "device"}) {
    ASSERT_TRUE(config.contains(key)) << key;
    std::string flag = key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    flags.append(" --").append(flag).append(" ").append(config[key].dump());
  }
  expect_trains(folder, flags);
  EXPECT_EQ(read_metrics(folder, "again"), read_metrics(folder, "run"));
  EXPECT_EQ(read_weights(folder, "again"), read_weights(folder, "run"));
  EXPECT_EQ(read_bytes(folder / "again/config.json"), read_bytes(folder / "run/config.json"));
}

// What a run says, and where.

TEST(Train, JsonIsAllOfStdoutAndIsSummaryJson) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--out run --json" + std::string(kSmall));
  EXPECT_EQ(outcome.out, read_bytes(folder / "run/summary.json"));
  const Json summary = Json::parse(outcome.out);
  EXPECT_EQ(summary["model"], "manual");
  EXPECT_EQ(summary["engine"], "fused");
  EXPECT_EQ(summary["dtype"], "float32");
  EXPECT_EQ(summary["seed"], 0);
  EXPECT_EQ(summary["run_directory"], "run");
}

TEST(Train, QuietLeavesStderrEmpty) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--out run --quiet" + std::string(kSmall));
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("every lag seen"), std::string::npos);
}

TEST(Train, QuietAndJsonGoTogether) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--out run --quiet --json" + std::string(kSmall));
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, read_bytes(folder / "run/summary.json"));
}

TEST(Train, ProgressSaysEpochWindowLossFloorAndSpeed) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--out run" + std::string(kSmall));
  const std::regex progress(
      R"(epoch (\d+)/2  window (\d+)/10  mean loss (\d\.\d{4})  floor 0\.4545  \d+ windows/s)");
  std::map<std::pair<std::int64_t, std::int64_t>, double> shown;
  for (const std::string& line : lines_of(outcome.err)) {
    std::smatch match;
    if (std::regex_match(line, match, progress)) {
      shown[{std::stoll(match[1]), std::stoll(match[2])}] = std::stod(match[3]);
    }
  }
  for (const Row& row : read_metrics(folder, "run")) {
    // An epoch's first and last row are always shown, and what is shown is right.
    const auto entry = shown.find({row.epoch, row.window});
    if (entry != shown.end()) {
      EXPECT_NEAR(entry->second, std::stod(row.mean_loss), 5.1e-5);
    } else {
      EXPECT_EQ(row.window, 8) << outcome.err;
    }
  }
  EXPECT_EQ(outcome.out.find("windows/s"), std::string::npos);
}

TEST(Train, BeginsBySayingWhatItDoes) {
  const TempDir folder;
  const Outcome outcome =
      expect_trains(folder, "--out run --model builtin --device cpu" + std::string(kSmall));
  EXPECT_EQ(
      outcome.err.find("model    builtin, 4 hidden units, 2 classes, fused engine on cpu, float32\n"
                       "data     300 symbols an epoch, P(Y[t]=1) = 0.5 + 0.5 X[t-3] - 0.25 X[t-8]\n"
                       "windows  10 of 3 x 10 an epoch, 2 epochs, sgd with learning rate 0.2\n"
                       "run      run\n"),
      0U)
      << outcome.err;
}

TEST(Train, EndsWithATableOfTheFloors) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--out run" + std::string(kSmall));
  std::smatch match;
  ASSERT_TRUE(std::regex_search(outcome.out, match, std::regex(R"(last epoch +(\d\.\d{4}))")));
  EXPECT_NEAR(std::stod(match[1]),
              read_json(folder / "run/summary.json")["last_epoch_loss"].get<double>(), 5.1e-5);
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 23U) << outcome.out;
  EXPECT_EQ(lines[5].find("held out, 500 symbols "), 0U) << lines[5];
  EXPECT_EQ(lines[8].find("no lag seen                         0.6616  "), 0U) << lines[8];
  EXPECT_EQ(lines[9].find("only lag 8 seen                     0.6277  "), 0U) << lines[9];
  EXPECT_EQ(lines[10].find("no carried state, num_steps 10      0.5489  "), 0U) << lines[10];
  EXPECT_EQ(lines[11].find("only lag 3 seen                     0.5192  "), 0U) << lines[11];
  EXPECT_EQ(lines[12].find("every lag seen                      0.4545  "), 0U) << lines[12];
  EXPECT_EQ(lines[15].find("X[t-3] = 0, X[t-8] = 0 "), 0U) << lines[15];
  EXPECT_EQ(lines[21].find("3  "), 0U) << lines[21];
  EXPECT_EQ(lines[22].find("8  "), 0U) << lines[22];
}

TEST(Train, HelpShowsEveryFlagAndEveryDefault) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--help");
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(names_in(folder.path()).empty());
  // A long entry goes on in the next line; here it does not matter where.
  const std::string help = std::regex_replace(outcome.out, std::regex(R"(\s+)"), " ");
  const std::pair<std::string, const char*> flags[] = {
      {"--model manual|builtin ", "(default: manual)"},
      {"--engine auto|autograd|fused ", "(default: auto)"},
      {"--device auto|cpu|cuda ", "(default: auto)"},
      {"--epochs N ", "(default: 5)"},
      {"--series-length N ", "(default: 1000000)"},
      {"--batch-size N ", "(default: 3)"},
      {"--num-steps N ", "(default: 10)"},
      {"--hidden-size N ", "(default: 4)"},
      {"--learning-rate X ", "(default: 0.2)"},
      {"--optimizer sgd|adagrad|adam ", "(default: sgd)"},
      {"--dtype float32|float64 ", "(default: float32)"},
      {"--seed N ", "(default: 0)"},
      {"--threads N ", "(default: 1)"},
      {"--data FILE ", "(default: the sampled process)"},
      {"--init FILE.safetensors ", "(default: drawn from the seed)"},
      {"--log-every N ", "(default: 100)"},
      {"--out DIR ", "(default: runs/<UTC time>-<model>)"},
      {"--json ", ""},
      {"--quiet ", ""},
      {"--version ", ""},
      {"--help ", ""}};
  for (const auto& [flag, value] : flags) {
    const std::size_t begin = help.find(flag);
    ASSERT_NE(begin, std::string::npos) << flag << "\n" << outcome.out;
    const std::string entry = help.substr(begin, help.find(" --", begin) - begin);
    EXPECT_NE(entry.find(value), std::string::npos) << entry;
  }
}

TEST(Train, HelpFitsInAHundredColumns) {
  const TempDir folder;
  for (const std::string& line : lines_of(expect_trains(folder, "--help").out)) {
    EXPECT_LE(line.size(), 100U) << line;
  }
}

TEST(Train, HelpGoesBeforeTheWork) {
  const TempDir folder;
  EXPECT_EQ(expect_trains(folder, "--epochs 0 --help").out, expect_trains(folder, "--help").out);
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(Train, VersionNamesProgramAndLibTorch) {
  const TempDir folder;
  const Outcome outcome = expect_trains(folder, "--version");
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(std::regex_match(
      outcome.out, std::regex(R"(unroll-train \d+\.\d+\.\d+ \(LibTorch \d+\.\d+\.\d+[^ ]*\)\n)")))
      << outcome.out;
  EXPECT_TRUE(names_in(folder.path()).empty());
}

// Which runs are equal, and which are not.

TEST(Train, TheSameSeedGivesTheSameRun) {
  const TempDir folder;
  expect_trains(folder, "--out one --seed 7" + std::string(kSmall));
  expect_trains(folder, "--out other --seed 7" + std::string(kSmall));
  EXPECT_EQ(read_metrics(folder, "one"), read_metrics(folder, "other"));
  EXPECT_EQ(read_weights(folder, "one"), read_weights(folder, "other"));
}

TEST(Train, AnotherSeedGivesAnotherRun) {
  const TempDir folder;
  expect_trains(folder, "--out one --seed 7" + std::string(kSmall));
  expect_trains(folder, "--out other --seed 8" + std::string(kSmall));
  EXPECT_NE(read_metrics(folder, "one"), read_metrics(folder, "other"));
  EXPECT_NE(read_weights(folder, "one"), read_weights(folder, "other"));
}

/// Checks that two runs' rows stand at the same places, their losses no further apart than 1e-5. In
/// 500 windows those of the two models parted by up to 1.1e-6, with the data and weights of 12
/// seeds and the arithmetic of SSE4, AVX2 and AVX-512.
void expect_agree(const TempDir& folder, const std::string& one, const std::string& other) {
  ASSERT_EQ(places(read_metrics(folder, one)), places(read_metrics(folder, other)));
  const std::vector<double> losses = read_losses(folder, one);
  const std::vector<double> other_losses = read_losses(folder, other);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    ASSERT_NEAR(losses[i], other_losses[i], 1e-5) << "row " << i;
  }
}

TEST(Train, ManualAndBuiltinAgree) {
  const TempDir folder;
  const std::string flags = " --series-length 6000 --epochs 2 --log-every 1";
  expect_trains(folder, "--out manual --model manual" + flags);
  expect_trains(folder, "--out builtin --model builtin" + flags);
  expect_agree(folder, "manual", "builtin");
}

TEST(Train, ManualAndBuiltinAgreeOnAUsersOwnSeries) {
  const TempDir folder;
  write_bytes(folder / "my.csv", four_class_csv());
  const std::string flags = " --data my.csv --epochs 3 --log-every 1";
  expect_trains(folder, "--out manual --model manual" + flags);
  expect_trains(folder, "--out builtin --model builtin" + flags);
  expect_agree(folder, "manual", "builtin");
}

TEST(Train, EveryEpochHasAFreshSeries) {
  // With a learning rate that moves nothing, the same series would give the same losses.
  const TempDir folder;
  expect_trains(folder, "--out run --learning-rate 1e-30" + std::string(kSmall));
  const std::vector<Row> rows = read_metrics(folder, "run");
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_NE(rows[0].mean_loss, rows[3].mean_loss);
}

TEST(Train, OptimizersAndPrecisionsDiffer) {
  const TempDir folder;
  const std::string choices[] = {
      "--optimizer sgd --dtype float32",     "--optimizer sgd --dtype float64",
      "--optimizer adagrad --dtype float32", "--optimizer adagrad --dtype float64",
      "--optimizer adam --dtype float32",    "--optimizer adam --dtype float64"};
  std::set<std::string> losses;
  for (const std::string& choice : choices) {
    const Outcome outcome = expect_trains(folder, choice + " --json" + kSmall);
    losses.insert(Json::parse(outcome.out)["final_loss"].dump());
  }
  EXPECT_EQ(losses.size(), 6U);
}

TEST(Train, TwoRunsAtOnceHaveFoldersOfTheirOwn) {
  const TempDir folder;
  const std::string run = train_command("--quiet" + std::string(kSmall));
  EXPECT_EQ(run_shell(run + " & " + run + "; wait", folder.path()).exit_code, 0);
  const std::set<std::string> runs = names_in(folder / "runs");
  EXPECT_EQ(runs.size(), 2U);
  for (const std::string& name : runs) {
    EXPECT_EQ(names_in((folder / "runs/").append(name)), run_files);
  }
}

TEST(Train, TheLastOfARepeatedFlagCounts) {
  const TempDir folder;
  expect_trains(folder, "--out run --series-length 300 --epochs 2 --epochs=1 --log-every 5");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:5 1:10 ");
}

// A user's own series.

TEST(Train, TrainsOnAUsersOwnSeries) {
  const TempDir folder;
  write_bytes(folder / "my.csv", four_class_csv());
  const Outcome outcome = expect_trains(folder, "--out run --data my.csv --epochs 2 --log-every 4");
  EXPECT_EQ(places(read_metrics(folder, "run")), "1:4 1:8 1:10 2:4 2:8 2:10 ");
  const Json config = read_json(folder / "run/config.json");
  EXPECT_EQ(config["data"], fs::canonical(folder / "my.csv").string());
  EXPECT_EQ(config["series_length"], 300);
  EXPECT_EQ(config["num_classes"], 4);
  EXPECT_TRUE(config["process"].is_null());
  EXPECT_TRUE(read_json(folder / "run/summary.json")["floors"].is_null());
  EXPECT_EQ(outcome.err.find("floor"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.out.find("floor"), std::string::npos) << outcome.out;
}

TEST(Train, LearnsAUsersOwnSeries) {
  // The target is the input one step back: nothing is left to chance.
  const TempDir folder;
  write_bytes(folder / "my.csv", four_class_csv());
  expect_trains(folder,
                "--out run --data my.csv --epochs 60 --optimizer adam --learning-rate 0.02 "
                "--hidden-size 16");
  EXPECT_LT(read_json(folder / "run/summary.json")["final_loss"].get<double>(), 0.1);
}

TEST(Train, AUsersOwnSeriesIsTheSameEveryEpoch) {
  const TempDir folder;
  write_bytes(folder / "my.csv", four_class_csv());
  expect_trains(folder, "--out run --data my.csv --epochs 2 --log-every 4 --learning-rate 1e-30");
  const std::vector<Row> rows = read_metrics(folder, "run");
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[0].mean_loss, rows[3].mean_loss);
  EXPECT_EQ(rows[1].mean_loss, rows[4].mean_loss);
  EXPECT_EQ(rows[2].mean_loss, rows[5].mean_loss);
}

TEST(Train, WindowsLineEndsAndNoFinalNewlineChangeNothing) {
  const TempDir folder;
  const std::string text = four_class_csv();
  const std::string windows = std::regex_replace(text, std::regex("\n"), "\r\n");
  write_bytes(folder / "my.csv", text);
  write_bytes(folder / "windows.csv", windows.substr(0, windows.size() - 2));
  expect_trains(folder, "--out run --data my.csv --epochs 1");
  expect_trains(folder, "--out windows --data windows.csv --epochs 1");
  EXPECT_EQ(read_metrics(folder, "windows"), read_metrics(folder, "run"));
}

TEST(Train, ReadsAUsersOwnSeriesFromAPipe) {
  const TempDir folder;
  write_bytes(folder / "my.csv", four_class_csv());
  const Outcome outcome = run_shell(
      "cat my.csv | " + train_command("--out run --data /dev/stdin --epochs 1"), folder.path());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

TEST(Train, ADataFileNeedNotHaveAUtf8Name) {
  const TempDir folder;
  write_bytes(folder / "s\xE9rie.csv", four_class_csv());
  expect_trains(folder, "--out run --epochs 1 --data s\xE9rie.csv");
}

TEST(Train, ARunDirectoryNeedNotHaveAUtf8Name) {
  const TempDir folder;
  expect_trains(folder, "--out r\xE9sultat" + std::string(kSmall));
  EXPECT_EQ(names_in(folder / "r\xE9sultat"), run_files);
}

// Weights to start from.

TEST(Train, InitGoesOnExactlyWhereARunEnded) {
  // On the same series two epochs of plain SGD are one epoch, and then one from its weights.
  const TempDir folder;
  write_bytes(folder / "my.csv", four_class_csv());
  expect_trains(folder, "--out both --data my.csv --log-every 4 --epochs 2");
  expect_trains(folder, "--out first --data my.csv --log-every 4 --epochs 1");
  expect_trains(folder,
                "--out second --data my.csv --log-every 4 --epochs 1 --init "
                "first/weights.safetensors");
  EXPECT_EQ(read_weights(folder, "second"), read_weights(folder, "both"));
  EXPECT_NE(read_weights(folder, "second"), read_weights(folder, "first"));
  const std::vector<double> both = read_losses(folder, "both");
  ASSERT_EQ(both.size(), 6U);
  EXPECT_EQ(read_losses(folder, "second"), std::vector<double>(both.begin() + 3, both.end()));
  EXPECT_EQ(read_json(folder / "second/config.json")["init"],
            fs::canonical(folder / "first/weights.safetensors").string());
}

TEST(Train, InitTakesTheOtherModelsWeights) {
  // With a learning rate that moves nothing, what comes out is what went in.
  const TempDir folder;
  expect_trains(folder, "--out manual --model manual" + std::string(kSmall));
  expect_trains(folder,
                "--out builtin --model builtin --init manual/weights.safetensors --learning-rate "
                "1e-30" +
                    std::string(kSmall));
  EXPECT_EQ(read_weights(folder, "builtin"), read_weights(folder, "manual"));
}

TEST(Train, InitTakesFloat32IntoAFloat64Run) {
  const TempDir folder;
  write_bytes(folder / "w.safetensors", safetensors(model_tensors("F32")));
  expect_trains(folder, "--out 32 --init w.safetensors" + std::string(kSmall));
  expect_trains(folder, "--out 64 --init w.safetensors --dtype float64" + std::string(kSmall));
  expect_agree(folder, "32", "64");
}

TEST(Train, InitTakesAFileWithMetadata) {
  const TempDir folder;
  write_bytes(folder / "w.safetensors", safetensors(model_tensors(), {{"format", "pt"}}));
  expect_trains(folder, "--out run --init w.safetensors" + std::string(kSmall));
}

TEST(Train, InitAddsPyTorchsSecondBias) {
  // PyTorch's two biases act as their sum.
  const TempDir folder;
  std::vector<Tensor> tensors = model_tensors();
  tensors[2].value = 0.125;  // rnn.bias_ih_l0
  tensors[3].value = 0.375;  // rnn.bias_hh_l0
  write_bytes(folder / "two.safetensors", safetensors(tensors));
  tensors[2].value = 0.5;
  tensors[3].value = 0.0;
  write_bytes(folder / "one.safetensors", safetensors(tensors));
  for (const char* const model : {"manual", "builtin"}) {
    const std::string flags = std::string(" --model ") + model + kSmall;
    const TempDir runs;
    expect_trains(folder, "--init two.safetensors --out " + runs / "two" + flags);
    expect_trains(folder, "--init one.safetensors --out " + runs / "one" + flags);
    EXPECT_EQ(read_weights(runs, "two"), read_weights(runs, "one"));
  }
}

}  // namespace
}  // namespace unroll
