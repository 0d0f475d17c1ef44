// What a run says to people.

#include <unroll/report/text.h>

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "summaries.h"

namespace unroll {
namespace {

RunStart a_start() {
  RunStart start = {.options = {},
                    .engine = "autograd",
                    .device = "cpu",
                    .process = LaggedProcess::tutorial(),
                    .floors = LaggedProcess::tutorial().floors(10),
                    .windows_per_epoch = 33'333,
                    .run_directory = "runs/mine",
                    .progress = {}};
  return start;
}

/// A start on a user's own series.
RunStart a_start_on_a_file() {
  RunStart start = a_start();
  start.process.reset();
  start.floors.reset();
  start.options.data = "my.csv";
  start.options.series.series_length = 77;
  start.options.model.num_classes = 9;
  return start;
}

/// The second row of the second epoch: 33,533 windows in 12 seconds.
LogRow a_row() {
  return {.epoch = 2,
          .window = 200,
          .windows_per_epoch = 33'333,
          .mean_loss = 0.523456,
          .epoch_mean_loss = 0.6,
          .train_seconds = 12.0};
}

Summary a_plain_summary() {
  return {.model = "manual",
          .engine = "autograd",
          .device = "cpu",
          .dtype = "float32",
          .seed = 0,
          .epochs = 5,
          .windows = 166'665,
          .final_loss = 0.53,
          .last_epoch_loss = 0.5171,
          .baseline = 0.66156,
          .seconds = 46.52,
          .data_seconds = 0.2,
          .train_seconds = 46.3,
          .floors = LaggedProcess::tutorial().floors(10),
          .num_steps = 10,
          .run_directory = "runs/mine"};
}

TEST(DescribeStart, SaysWhatOnWhatAndWhere) {
  EXPECT_EQ(describe_start(a_start()),
            "model    manual, 4 hidden units, 2 classes, autograd engine on cpu, float32\n"
            "data     1000000 symbols an epoch, P(Y[t]=1) = 0.5 + 0.5 X[t-3] - 0.25 X[t-8]\n"
            "windows  33333 of 3 x 10 an epoch, 5 epochs, sgd with learning rate 0.2\n"
            "run      runs/mine\n");
}

TEST(DescribeStart, SaysHowSeveralRanksShareTheRows) {
  RunStart start = a_start();
  start.ranks = 3;
  EXPECT_NE(describe_start(start).find("\nranks    3, each with 1 rows of every window\nrun "),
            std::string::npos);
  start.ranks = 2;
  EXPECT_NE(describe_start(start).find("ranks    2, each with 1 or 2 rows of every window\n"),
            std::string::npos);
}

TEST(DescribeStart, NamesAUsersFile) {
  const std::string text = describe_start(a_start_on_a_file());
  EXPECT_NE(text.find("data     77 symbols an epoch, my.csv\n"), std::string::npos) << text;
  EXPECT_NE(text.find("9 classes"), std::string::npos) << text;
}

TEST(DescribeRow, SaysEpochWindowLossFloorAndSpeed) {
  EXPECT_EQ(describe_row(a_start(), a_row()),
            "epoch 2/5  window 200/33333  mean loss 0.5235  floor 0.4545  2794 windows/s\n");
}

TEST(DescribeRow, KnowsNoFloorOfAUsersFile) {
  EXPECT_EQ(describe_row(a_start_on_a_file(), a_row()),
            "epoch 2/5  window 200/33333  mean loss 0.5235  2794 windows/s\n");
}

TEST(DescribeResult, ComparesTheLastEpochWithEveryFloor) {
  // 0.5171 is 0.1445 below 0.6616, and so on: the differences are of the unrounded floors.
  EXPECT_EQ(describe_result(a_plain_summary()),
            "166665 windows in 46.5 s, 277.8 us a window; runs/mine\n"
            "\n"
            "mean loss                             nats\n"
            "last log row                        0.5300\n"
            "last epoch                          0.5171\n"
            "\n"
            "baseline                              nats  last epoch\n"
            "always guessing the same            0.6616  0.1445 below\n"
            "\n"
            "loss floor                            nats  last epoch\n"
            "no lag seen                         0.6616  0.1445 below\n"
            "only lag 8 seen                     0.6277  0.1106 below\n"
            "no carried state, num_steps 10      0.5489  0.0318 below\n"
            "only lag 3 seen                     0.5192  0.0021 below\n"
            "every lag seen                      0.4545  0.0626 above\n");
}

Evaluation a_profiled_evaluation() {
  Evaluation evaluation = testing::an_evaluation();
  evaluation.lags[0].effect.value = 0.42;
  evaluation.profile = {{.lag = 0, .change = {.value = 0.25}, .effect = Estimate{.value = -0.25}},
                        {.lag = 1, .change = {.value = 0.0}, .effect = Estimate{.value = 0.0}}};
  return evaluation;
}

TEST(DescribeResult, SaysWhatIsLearned) {
  Summary summary = a_plain_summary();
  summary.evaluation = a_profiled_evaluation();
  EXPECT_EQ(
      describe_result(summary),
      "166665 windows in 46.5 s, 277.8 us a window; runs/mine\n"
      "\n"
      "mean loss                             nats\n"
      "last log row                        0.5300\n"
      "last epoch                          0.5171\n"
      "held out, 200000 symbols            0.5155  +- 0.0010\n"
      "\n"
      "baseline                              nats  held out\n"
      "always guessing the same            0.6616  0.1461 below\n"
      "\n"
      "loss floor                            nats  held out\n"
      "no lag seen                         0.6616  0.1461 below\n"
      "only lag 8 seen                     0.6277  0.1122 below\n"
      "no carried state, num_steps 10      0.5489  0.0334 below\n"
      "only lag 3 seen                     0.5192  0.0037 below\n"
      "every lag seen                      0.4545  0.0610 above\n"
      "\n"
      "learned, mean over                  P(Y=1)    truth\n"
      "X[t-3] = 0, X[t-8] = 0              0.4600   0.5000\n"
      "X[t-3] = 1, X[t-8] = 0              0.8900   1.0000\n"
      "X[t-3] = 0, X[t-8] = 1              0.4100   0.2500\n"
      "X[t-3] = 1, X[t-8] = 1              0.8300   0.7500\n"
      "\n"
      "lag                                 effect    truth  learned\n"
      "3                                  +0.4200  +0.5000  yes: the loss is below the floor "
      "without it, 0.6277\n"
      "8                                  -0.0600  -0.2500  partly: the loss is not below the "
      "floor without it, 0.5192\n");
}

TEST(DescribeResult, ProfilesAUsersFile) {
  Summary summary = a_plain_summary();
  summary.floors.reset();
  summary.evaluation = a_profiled_evaluation();
  summary.evaluation->is_held_out = false;
  const std::string text = describe_result(summary);
  EXPECT_NE(text.find("same data, 200000 symbols"), std::string::npos) << text;
  EXPECT_NE(text.find("baseline                              nats  same data\n"
                      "always guessing the same            0.6616  0.1461 below\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("lag, its input flipped              P(Y=1)\n"
                      "0                                  -0.2500  ########\n"
                      "1                                  +0.0000\n"),
            std::string::npos)
      << text;
}

TEST(DescribeResult, SaysNothingOfWhatNeverOccurred) {
  Summary summary = a_plain_summary();
  summary.evaluation = a_profiled_evaluation();
  summary.evaluation->combinations[1].probability = std::nan("");
  summary.evaluation->lags[1].effect = {.value = std::nan("")};
  const std::string text = describe_result(summary);
  EXPECT_NE(text.find("X[t-3] = 1, X[t-8] = 0                   -   1.0000\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("8                                        -  -0.2500  "), std::string::npos);
  summary.floors.reset();
  summary.evaluation->profile.clear();
  EXPECT_NE(describe_result(summary).find("too short to tell which lags"), std::string::npos);
}

TEST(DescribeResult, SaysWhatCannotBe) {
  Summary summary = a_plain_summary();
  summary.evaluation = a_profiled_evaluation();
  EXPECT_EQ(describe_result(summary).find("FAULT"), std::string::npos);
  summary.evaluation->is_impossible = true;
  EXPECT_NE(describe_result(summary).find("FAULT: the held-out loss is below"), std::string::npos);
}

TEST(DescribeResult, ListsTheFloorsFromTheEasiestToTheHardest) {
  // With windows of one step the floor without a carry is that of no lag, above lag 8's.
  Summary summary = a_plain_summary();
  summary.num_steps = 1;
  summary.floors = LaggedProcess::tutorial().floors(1);
  const std::string text = describe_result(summary);
  EXPECT_LT(text.find("no lag seen"), text.find("no carried state, num_steps 1 "));
  EXPECT_LT(text.find("no carried state"), text.find("only lag 8"));
  EXPECT_LT(text.find("only lag 8"), text.find("only lag 3"));
  EXPECT_LT(text.find("only lag 3"), text.find("every lag"));
}

TEST(DescribeResult, HasNoFloorsOfAUsersFile) {
  Summary summary = a_plain_summary();
  summary.floors.reset();
  EXPECT_EQ(describe_result(summary),
            "166665 windows in 46.5 s, 277.8 us a window; runs/mine\n"
            "\n"
            "mean loss                             nats\n"
            "last log row                        0.5300\n"
            "last epoch                          0.5171\n"
            "\n"
            "baseline                              nats  last epoch\n"
            "always guessing the same            0.6616  0.1445 below\n");
}

}  // namespace
}  // namespace unroll
