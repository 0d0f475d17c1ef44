// Training's options: defaults, and what is refused.

#include <unroll/train/options.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "../support/refusal.h"

namespace unroll {
namespace {

using testing::validation_refusal;

std::string learning_rate_refusal(double learning_rate) {
  return validation_refusal(OptimizerOptions{.learning_rate = learning_rate});
}

TEST(OptimizerOptions, DefaultsAreTheTutorials) {
  EXPECT_EQ(OptimizerOptions().optimizer, OptimizerKind::kSgd);
  EXPECT_EQ(OptimizerOptions().learning_rate, 0.2);
}

TEST(OptimizerOptions, LearningRateIsFiniteAndPositive) {
  EXPECT_EQ(learning_rate_refusal(1e-300), "accepted");
  EXPECT_EQ(learning_rate_refusal(0.0), "learning_rate must be a finite positive number, got 0");
  EXPECT_NE(learning_rate_refusal(-0.0), "accepted");
  EXPECT_EQ(learning_rate_refusal(-0.2),
            "learning_rate must be a finite positive number, got -0.2");
  EXPECT_EQ(learning_rate_refusal(std::numeric_limits<double>::infinity()),
            "learning_rate must be a finite positive number, got inf");
  EXPECT_NE(learning_rate_refusal(std::numeric_limits<double>::quiet_NaN()), "accepted");
}

TEST(TrainerOptions, DefaultsAreTheTutorials) {
  EXPECT_EQ(TrainerOptions().epochs, 5);
  EXPECT_EQ(TrainerOptions().log_every, 100);
}

TEST(TrainerOptions, EpochsAreFromOneToABillion) {
  EXPECT_EQ(validation_refusal(TrainerOptions{.epochs = 1}), "accepted");
  EXPECT_EQ(validation_refusal(TrainerOptions{.epochs = 1'000'000'000}), "accepted");
  EXPECT_EQ(validation_refusal(TrainerOptions{.epochs = 0}),
            "epochs must be from 1 to 1000000000, got 0");
  EXPECT_EQ(validation_refusal(TrainerOptions{.epochs = 1'000'000'001}),
            "epochs must be from 1 to 1000000000, got 1000000001");
}

TEST(TrainerOptions, LogsEveryWindowAtMost) {
  EXPECT_EQ(validation_refusal(TrainerOptions{.log_every = 1}), "accepted");
  EXPECT_EQ(
      validation_refusal(TrainerOptions{.log_every = std::numeric_limits<std::int64_t>::max()}),
      "accepted");
  EXPECT_EQ(validation_refusal(TrainerOptions{.log_every = 0}),
            "log_every must be at least 1, got 0");
}

TEST(Names, AreTheContracts) {
  EXPECT_EQ(all_names<DeviceChoice>(), "auto|cpu|cuda");
  EXPECT_EQ(all_names<EngineChoice>(), "auto|autograd|fused");
  EXPECT_EQ(all_names<Precision>(), "float32|float64");
  EXPECT_EQ(all_names<OptimizerKind>(), "sgd|adagrad|adam");
}

}  // namespace
}  // namespace unroll
