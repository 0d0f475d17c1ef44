// A run's options: defaults, and what is refused of any of its parts.

#include <unroll/run/options.h>

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "../support/refusal.h"

namespace unroll {
namespace {

/// What the defaults with one change are refused with.
std::string refusal(const std::function<void(RunOptions&)>& change) {
  RunOptions options;
  change(options);
  return testing::validation_refusal(options);
}

TEST(RunOptions, DefaultsAreAccepted) {
  EXPECT_EQ(refusal([](RunOptions&) {}), "accepted");
}

TEST(RunOptions, DefaultsAreTheContracts) {
  const RunOptions options;
  EXPECT_EQ(options.model.model, ModelKind::kManual);
  EXPECT_EQ(options.engine, EngineChoice::kAuto);
  EXPECT_EQ(options.device, DeviceChoice::kAuto);
  EXPECT_EQ(options.dtype, Precision::kFloat32);
  EXPECT_EQ(options.seed, 0);
  EXPECT_EQ(options.threads, 1);
  EXPECT_EQ(options.data + options.init + options.out, "");
}

TEST(RunOptions, SeedHas32Bits) {
  EXPECT_EQ(refusal([](RunOptions& options) { options.seed = 4'294'967'295; }), "accepted");
  EXPECT_EQ(refusal([](RunOptions& options) { options.seed = 4'294'967'296; }),
            "seed must be from 0 to 4294967295, got 4294967296");
  EXPECT_EQ(refusal([](RunOptions& options) { options.seed = -1; }),
            "seed must be from 0 to 4294967295, got -1");
}

TEST(RunOptions, ThreadsAreOneOrMore) {
  EXPECT_EQ(refusal([](RunOptions& options) { options.threads = 1024; }), "accepted");
  EXPECT_EQ(refusal([](RunOptions& options) { options.threads = 0; }),
            "threads must be from 1 to 1024, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.threads = 1025; }),
            "threads must be from 1 to 1024, got 1025");
}

TEST(RunOptions, EveryPartIsChecked) {
  EXPECT_EQ(refusal([](RunOptions& options) { options.model.hidden_size = 0; }),
            "hidden_size must be at least 1, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.series.series_length = 0; }),
            "series_length must be at least 1, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.windows.batch_size = 0; }),
            "batch_size must be at least 1, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.windows.num_steps = 0; }),
            "num_steps must be at least 1, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.optimizer.learning_rate = 0.0; }),
            "learning_rate must be a finite positive number, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.trainer.epochs = 0; }),
            "epochs must be from 1 to 1000000000, got 0");
  EXPECT_EQ(refusal([](RunOptions& options) { options.trainer.log_every = 0; }),
            "log_every must be at least 1, got 0");
}

TEST(RunOptions, ALearningRateMustExistInTheRunsPrecision) {
  // 1e39 is no float32.
  EXPECT_NE(refusal([](RunOptions& options) { options.optimizer.learning_rate = 1e39; }),
            "accepted");
  EXPECT_EQ(refusal([](RunOptions& options) {
              options.optimizer.learning_rate = 1e39;
              options.dtype = Precision::kFloat64;
            }),
            "accepted");
}

}  // namespace
}  // namespace unroll
