// Training in ranks, against training in one: ranks here are threads of the test.

#include <unroll/train/data_parallel.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/train/engine_choice.h>

#include "../support/cpu_plugin.h"
#include "../support/reference_rnn.h"
#include "../support/spread_model.h"
#include "../support/tensors.h"
#include "../support/thread_ranks.h"

namespace unroll {
namespace {

constexpr ModelOptions kSmallModel = {.num_classes = 3, .hidden_size = 4};

/// What training has come to on one rank.
struct RankResult {
  std::vector<double> losses;
  std::vector<double> weights;
  std::vector<double> state;
  std::int64_t sums = 0;
};

class DataParallelTest : public ::testing::TestWithParam<ModelKind> {
 protected:
  static constexpr std::int64_t kBatch = 7;  // so that ranks differ in their rows
  static constexpr std::int64_t kSteps = 5;
  static constexpr std::int64_t kWindows = 40;

  DataParallelTest()
      : windows(testing::scrambled_series(kWindows * kBatch * kSteps, kSmallModel.num_classes),
                {.batch_size = kBatch, .num_steps = kSteps}, torch::kCPU) {}

  static std::shared_ptr<RecurrentModel> make() {
    ModelOptions options = kSmallModel;
    options.model = GetParam();
    return testing::spread_model(options, torch::kFloat64);
  }

  /// Trains on all windows, in two goes, on each of the ranks.
  [[nodiscard]] std::vector<RankResult> train(std::int64_t size, EngineChoice kind,
                                              OptimizerKind optimizer) const {
    std::vector<RankResult> trained(static_cast<std::size_t>(size));
    testing::in_ranks(size, [&](testing::ThreadRanks& ranks) {
      const auto model = make();
      const auto engine = make_parallel_engine(
          kind, model, {.optimizer = optimizer, .learning_rate = 0.1}, ranks, kBatch);
      Advance first =
          engine->advance(windows, {.first = 0, .count = 11}, engine->initial_state(kBatch));
      const Advance rest =
          engine->advance(windows, {.first = 11, .count = kWindows - 11}, std::move(first.state));
      const std::int64_t sums = ranks.sums;
      check_same_weights(ranks, *model);
      trained[static_cast<std::size_t>(ranks.rank())] = {
          .losses = testing::numbers(torch::cat({first.losses, rest.losses})),
          .weights = testing::flatten(model->weights()),
          .state = testing::numbers(engine->whole_state(rest.state)),
          .sums = sums};
    });
    return trained;
  }

  /// Trains on all windows in one process.
  [[nodiscard]] RankResult train_alone(OptimizerKind optimizer) const {
    const auto model = make();
    const auto engine =
        make_engine(EngineChoice::kAutograd, model, {.optimizer = optimizer, .learning_rate = 0.1});
    const Advance advance =
        engine->advance(windows, {.first = 0, .count = kWindows}, engine->initial_state(kBatch));
    return {.losses = testing::numbers(advance.losses),
            .weights = testing::flatten(model->weights()),
            .state = testing::numbers(advance.state)};
  }

  WindowDataset windows;
};

INSTANTIATE_TEST_SUITE_P(Models, DataParallelTest,
                         ::testing::Values(ModelKind::kManual, ModelKind::kBuiltin),
                         testing::model_name);

TEST_P(DataParallelTest, TrainsAsOneProcessDoesWithTheSameBitsOnEveryRank) {
  for (const auto& [engine, optimizer] :
       {std::pair(EngineChoice::kAutograd, OptimizerKind::kSgd),
        std::pair(EngineChoice::kAutograd, OptimizerKind::kAdagrad),
        std::pair(EngineChoice::kAutograd, OptimizerKind::kAdam),
        std::pair(EngineChoice::kFused, OptimizerKind::kSgd)}) {
    const RankResult alone = train_alone(optimizer);
    for (const std::int64_t size : {1, 2, 4, 7}) {
      SCOPED_TRACE(std::string(name_of(engine)).append(" ").append(name_of(optimizer)) + " in " +
                   std::to_string(size));
      const std::vector<RankResult> ranks = train(size, engine, optimizer);
      testing::expect_near(ranks.front().losses, alone.losses, 1e-13);
      testing::expect_near(ranks.front().weights, alone.weights, 1e-12);
      testing::expect_near(ranks.front().state, alone.state, 1e-12);
      for (const RankResult& rank : ranks) {
        EXPECT_EQ(rank.losses, ranks.front().losses);
        EXPECT_EQ(rank.weights, ranks.front().weights);
        EXPECT_EQ(rank.state, ranks.front().state);
        EXPECT_EQ(rank.sums, kWindows);  // one all-reduce a window
      }
    }
  }
}

TEST(RowShare, CoversEveryRowOnceAndDiffersByOneAtMost) {
  constexpr std::int64_t kRows = 7;
  for (const std::int64_t size : {1, 2, 3, 4, 7}) {
    testing::Meeting meeting(size);
    std::int64_t next = 0;
    for (std::int64_t rank = 0; rank < size; ++rank) {
      const RowShare share = share_of(testing::ThreadRanks(meeting, rank), kRows);
      EXPECT_EQ(share.first, next);
      EXPECT_GE(share.count, kRows / size);
      EXPECT_LE(share.count, (kRows + size - 1) / size);
      next = share.first + share.count;
    }
    EXPECT_EQ(next, kRows);
  }
}

TEST(DataParallel, LeavesTheOtherRanksRowsOpenAndGathersThemWithTheirBits) {
  const WindowDataset windows(testing::scrambled_series(60, kSmallModel.num_classes),
                              {.batch_size = 3, .num_steps = 5}, torch::kCPU);
  testing::in_ranks(2, [&](testing::ThreadRanks& ranks) {
    const auto model = testing::spread_model(kSmallModel, torch::kFloat32);
    const auto engine = make_parallel_engine(EngineChoice::kAutograd, model, {}, ranks, 3);
    const RowShare share = share_of(ranks, 3);
    torch::Tensor state =
        engine->advance(windows, {.first = 0, .count = 2}, engine->initial_state(3)).state;
    EXPECT_EQ(state.isnan().sum().item<std::int64_t>(),
              (3 - share.count) * kSmallModel.hidden_size);
    state[share.first][0] = -0.0;
    const torch::Tensor whole = engine->whole_state(state);
    EXPECT_FALSE(whole.isnan().any().item<bool>());
    EXPECT_TRUE(std::signbit(whole[0][0].item<float>()));
    EXPECT_TRUE(std::signbit(whole[1][0].item<float>()));
    EXPECT_TRUE(torch::equal(whole.narrow(0, share.first, share.count),
                             state.narrow(0, share.first, share.count)));
  });
}

TEST(DataParallel, GivesEveryRankTheWeightsOfRank0) {
  const Weights expected = testing::spread_weights(kSmallModel, torch::kFloat32);
  testing::in_ranks(3, [&](testing::ThreadRanks& ranks) {
    const auto model = make_model(kSmallModel, torch::kFloat32, torch::kCPU);
    model->set_weights(ranks.rank() == 0 ? expected
                                         : glorot_weights(kSmallModel, 1, torch::kFloat32));
    share_weights(ranks, *model);
    EXPECT_TRUE(testing::same(model->weights(), expected));
  });
}

TEST(DataParallel, NamesTheRankThatHoldsOtherWeights) {
  std::mutex mutex;
  std::vector<std::string> messages;
  testing::in_ranks(3, [&](testing::ThreadRanks& ranks) {
    const auto model = make_model(kSmallModel, torch::kFloat32, torch::kCPU);
    Weights weights = testing::spread_weights(kSmallModel, torch::kFloat32);
    weights.bias[0] += ranks.rank() == 1 ? 1e-7 : 0.0;
    model->set_weights(weights);
    try {
      check_same_weights(ranks, *model);
    } catch (const RankError& error) {
      const std::lock_guard lock(mutex);
      messages.emplace_back(error.what());
    }
  });
  ASSERT_EQ(messages.size(), 3);
  for (const std::string& message : messages) {
    EXPECT_TRUE(message.starts_with("rank 1 holds other weights than rank 0")) << message;
  }
}

TEST(DataParallel, RefusesWhatItCannotTrain) {
  testing::Meeting meeting(4);
  const testing::ThreadRanks ranks(meeting, 0);
  testing::CpuPlugin plugin;
  const auto problem = [&](std::int64_t batch_size, torch::Device device,
                           const cuda::FoundPlugin& found) {
    try {
      check_data_parallel(ranks, batch_size, device, found);
    } catch (const InvalidOption& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(problem(4, torch::kCPU, {}), "");
  EXPECT_EQ(problem(4, torch::kCUDA, {.plugin = &plugin}), "");
  EXPECT_EQ(problem(3, torch::kCPU, {}),
            "batch_size must be at least 4, a row for each of the ranks, got 3");
  EXPECT_EQ(
      problem(4, torch::kCUDA, {.problem = "it was not found"}),
      "device cuda needs Unroll's CUDA library where 4 ranks train together: it was not found");
  plugin.no_communicator = "it is too old";
  EXPECT_EQ(problem(4, torch::kCUDA, {.plugin = &plugin}),
            "device cuda needs Unroll's CUDA library where 4 ranks train together: it is too old");
  EXPECT_EQ(problem(4, torch::kCPU, {.plugin = &plugin}), "");
}

}  // namespace
}  // namespace unroll
