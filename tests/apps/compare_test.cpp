// unroll-compare, run as its users run it.

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "train_program.h"

namespace unroll {
namespace {

using namespace testing;

/// Runs unroll-compare in a folder.
Outcome compare(const TempDir& folder, const std::string& flags) {
  return run_shell(shell_word(UNROLL_BINARY_DIR "/unroll-compare") + " " + flags, folder.path());
}

/// Checks that it failed with this code and one line, and gives that line.
std::string refusal(const Outcome& outcome, int exit_code) {
  EXPECT_EQ(outcome.exit_code, exit_code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("unroll-compare: ")) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n') + 1, outcome.err.size()) << outcome.err;
  return outcome.err;
}

TEST(Compare, TheTwoModelsAgreeOverAThousandWindows) {
  const TempDir folder;
  const Outcome outcome = compare(folder, "--epochs 1 --series-length 30000 --json --quiet");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["self_check"], false);
  EXPECT_EQ(json["agree"], true);
  EXPECT_EQ(json["windows"], 1000);
  EXPECT_EQ(json["parting"], nullptr);
  ASSERT_EQ(json["variants"].size(), 2U);
  EXPECT_EQ(json["variants"][0]["name"], "manual/autograd");
  EXPECT_EQ(json["variants"][1]["name"], "builtin/autograd");
  EXPECT_LT(json["variants"][1]["max_loss_difference"], 1e-5);
  EXPECT_GT(json["variants"][1]["microseconds_per_window"], 0.0);
  EXPECT_TRUE(names_in(folder.path()).empty());  // no --out, no files
}

TEST(Compare, TheTableHasARowAVariantAndAVerdict) {
  const TempDir folder;
  const Outcome outcome = compare(folder, "--series-length 3300 --epochs 2");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part : {"final loss", "max |d loss|", "max |d weight|", "us/window", "speed-up",
                           "manual/autograd", "builtin/autograd", "1.00x",
                           "the variants agree within 1e-05; 220 of 220 windows judged\n"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
  }
  EXPECT_NE(outcome.err.find("epoch 2  window 110/110  mean loss "), std::string::npos)
      << outcome.err;
}

// A million hidden units: 3.64 TiB for each copy of the weights, and each model adds two.
TEST(Compare, CountsTheMemoryOfEveryVariant) {
  const TempDir folder;
  const auto refusal = [&](const std::string& flags) {
    const Outcome outcome = compare(folder, "--hidden-size 1000000 " + flags);
    EXPECT_EQ(outcome.exit_code, 2);
    return outcome.err;
  };
  const auto needs = [](const std::string& bytes) {
    return "unroll-compare: --hidden-size must fit in memory, got 1000000: the network needs " +
           bytes + ", ";
  };
  const std::string two = "manual/autograd,builtin/autograd";
  EXPECT_EQ(refusal("--variants " + two).find(needs("32.7 TiB")), 0U);
  EXPECT_EQ(refusal("--variants " + two + "," + two).find(needs("47.3 TiB")), 0U);
  EXPECT_EQ(refusal("--self-check").find(needs("32.7 TiB")), 0U);
}

TEST(Compare, AWarmUpHasNoTimes) {
  const TempDir folder;
  const Outcome outcome = compare(folder, "--out c --quiet" + std::string(kFewWindows));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("\nmanual/autograd .* +- +-\n")))
      << outcome.out;
  const Json comparison = read_json(folder / "c/comparison.json");
  for (const Json& variant : comparison.at("variants")) {
    EXPECT_TRUE(variant.at("microseconds_per_window").is_null());
    EXPECT_TRUE(variant.at("speed_up").is_null());
  }
}

TEST(Compare, NamesTheWeightsWhereOnlyThosePart) {
  // A single window: the fault shows in its update, and no loss sees that.
  const TempDir folder;
  const Outcome outcome =
      compare(folder, "--self-check --series-length 30 --epochs 1 --out c --quiet");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_NE(outcome.out.find("the losses agree within 1e-05; 1 of 1 windows judged; the final "
                             "weights of builtin/autograd+fault do not\n"
                             "rnn.bias_ih_l0 leads: its weights differ by up to "),
            std::string::npos)
      << outcome.out;
  const Json json = read_json(folder / "c/comparison.json");
  EXPECT_EQ(json["parting"], nullptr);
  EXPECT_EQ(json["variants"][1]["leading_tensor"], "rnn.bias_ih_l0");
}

TEST(Compare, ATighterToleranceThanRoundingIsExitOneAndNamesThePlace) {
  const TempDir folder;
  const Outcome outcome =
      compare(folder, "--epochs 1 --series-length 30000 --tolerance 1e-12 --quiet");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.out.find("builtin/autograd parts at window "), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find(" leads: its weights differ by up to "), std::string::npos)
      << outcome.out;
}

TEST(Compare, SelfCheckCatchesItsFault) {
  const TempDir folder;
  const Outcome outcome =
      compare(folder, "--self-check --epochs 1 --series-length 3000 --quiet --json --out c");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["self_check"], true);
  EXPECT_EQ(json["agree"], false);
  EXPECT_EQ(json["parting"]["variant"], "builtin/autograd+fault");
  EXPECT_EQ(json["parting"]["tensor"], "rnn.bias_ih_l0");
  EXPECT_EQ(read_json(folder / "c/builtin-autograd+fault/config.json")["fault"],
            "rnn.bias_hh_l0 is trained too: the biases' sum moves twice as far");
  EXPECT_FALSE(read_json(folder / "c/manual-autograd/config.json").contains("fault"));
}

TEST(Compare, SelfCheckThatCatchesNothingIsExitOne) {
  const TempDir folder;
  const Outcome outcome =
      compare(folder, "--self-check --tolerance 1000 --quiet" + std::string(kFewWindows));
  EXPECT_EQ(outcome.exit_code, 1);
}

TEST(Compare, OutHasEveryVariantsFiles) {
  const TempDir folder;
  const Outcome outcome = compare(folder, "--out c --json --quiet" + std::string(kFewWindows));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(names_in(folder / "c"),
            (std::set<std::string>{"comparison.json", "losses.gp", "losses.svg", "manual-autograd",
                                   "builtin-autograd"}));
  EXPECT_EQ(read_bytes(folder / "c/comparison.json"), outcome.out);
  for (const std::string model : {"manual", "builtin"}) {
    const std::string variant = "c/" + model + "-autograd";
    EXPECT_EQ(names_in(folder / variant), (std::set<std::string>{"config.json", "metrics.csv"}));
    EXPECT_EQ(places(read_metrics(folder, variant)), "1:4 1:8 1:10 2:4 2:8 2:10 ");
    EXPECT_EQ(read_json(folder / (variant + "/config.json"))["model"], model);
  }
}

TEST(Compare, AVariantsMetricsAreThoseOfItsOwnRun) {
  const TempDir folder;
  compare(folder, "--out c --quiet" + std::string(kFewWindows));
  expect_trains(folder,
                "--model builtin --engine autograd --out run --quiet" + std::string(kFewWindows));
  EXPECT_EQ(read_metrics(folder, "c/builtin-autograd"), read_metrics(folder, "run"));
}

TEST(Compare, TheFusedEngineIsTheAutogradEngine) {
  const TempDir folder;
  const Outcome outcome = compare(
      folder,
      "--variants manual/autograd,manual/fused,builtin/fused --epochs 1 --series-length 30000 "
      "--json --quiet");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["windows"], 1000);
  EXPECT_GT(json["variants"][1]["max_loss_difference"], 0.0);  // other roundings: another engine
  EXPECT_LT(json["variants"][1]["max_loss_difference"], 1e-5);
  EXPECT_LT(json["variants"][2]["max_loss_difference"], 1e-5);
}

TEST(Compare, NamesTheVariantThatCannotTrain) {
  const TempDir folder;
  const Outcome outcome =
      compare(folder, "--variants manual/autograd,builtin/fused --optimizer adam");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err,
            "unroll-compare: --variants cannot have builtin/fused: fused trains with the optimizer "
            "sgd only, got adam\n");
}

TEST(Compare, AVariantAgainstItselfIsToldApartAndEqual) {
  const TempDir folder;
  const Outcome outcome =
      compare(folder, "--variants manual/fused,manual/auto --out c --json --quiet" +
                          std::string(kFewWindows));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["variants"][1]["name"], "manual/fused-2");
  EXPECT_EQ(json["variants"][1]["max_loss_difference"], 0.0);
  EXPECT_EQ(json["variants"][1]["max_weight_difference"], 0.0);
  EXPECT_EQ(names_in(folder / "c").count("manual-fused-2"), 1U);
}

TEST(Compare, BadVariantsAreRefused) {
  const TempDir folder;
  for (const std::string value :
       {"", "manual", "manual/autograd", "manual/fast,builtin/autograd",
        "gru/autograd,manual/autograd", "manual/autograd,,builtin/autograd", "manual/autograd,",
        "manual/autograd,builtin/autograd,"}) {
    SCOPED_TRACE(value);
    const std::string line = refusal(compare(folder, "--variants " + shell_word(value)), 2);
    EXPECT_NE(line.find("--variants must "), std::string::npos) << line;
  }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(Compare, BadToleranceIsRefused) {
  const TempDir folder;
  for (const std::string value : {"-1", "nan", "inf", "x"}) {
    const std::string line = refusal(compare(folder, "--tolerance " + value), 2);
    EXPECT_NE(line.find("--tolerance must be a"), std::string::npos) << line;
  }
  EXPECT_EQ(refusal(compare(folder, "--tolerance -1"), 2),
            "unroll-compare: --tolerance must be a finite number, 0 or more, got -1\n");
}

TEST(Compare, TheFlagsOfOneModelAreNotItsOwn) {
  const TempDir folder;
  EXPECT_EQ(refusal(compare(folder, "--model manual"), 2),
            "unroll-compare: unknown flag '--model'; --help lists the flags\n");
}

TEST(Compare, AnExistingFolderIsNotOverwritten) {
  const TempDir folder;
  write_bytes(folder / "old", "mine");
  refusal(compare(folder, "--out . --quiet" + std::string(kFewWindows)), 1);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"old"});
}

TEST(Compare, DivergenceNamesTheVariant) {
  const TempDir folder;
  const std::string line =
      refusal(compare(folder, "--quiet --learning-rate 3e38" + std::string(kFewWindows)), 1);
  EXPECT_TRUE(std::regex_search(line, std::regex("(manual|builtin)/autograd: the loss is ")))
      << line;
}

TEST(Compare, SaysWhichClassesOccurWhereThereAreGaps) {
  const TempDir folder;
  std::string text = "input,target\n";
  for (int i = 0; i < 50; ++i) {
    text += "1,3\n3,1\n";
  }
  write_bytes(folder / "gaps.csv", text);
  const Outcome outcome = compare(folder, "--quiet --epochs 1 --data gaps.csv");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err,
            "warning: gaps.csv: only the classes 1, 3 occur, but the network gets 4, from 0 to "
            "3\n");
}

TEST(Compare, HelpExplainsTheTolerance) {
  const TempDir folder;
  const Outcome outcome = compare(folder, "--help");
  EXPECT_EQ(outcome.exit_code, 0);
  const std::string help =
      std::regex_replace(outcome.out, std::regex("\\s+"), " ");  // of any width
  for (const char* part :
       {"--variants", "--tolerance", "--self-check", "1e-05 over the first 1000 windows",
        "1e-09 over the first 1000", "--batch-size", "--out"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace unroll
