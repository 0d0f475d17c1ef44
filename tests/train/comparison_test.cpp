// The side-by-side training of variants, and that a fault in one of them is caught.

#include <unroll/train/comparison.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/lagged_process.h>
#include <unroll/data/series_source.h>
#include <unroll/model/model.h>
#include <unroll/train/autograd_engine.h>

namespace unroll {
namespace {

constexpr std::uint32_t kSeed = 3;

/// A variant that owns its parts.
struct Entry {
  std::string name;
  std::shared_ptr<RecurrentModel> model;
  std::unique_ptr<AutogradEngine> engine;
  std::vector<LogRow> rows;
};

std::unique_ptr<Entry> make_entry(std::string name, ModelKind kind, double learning_rate = 0.2,
                                  bool second_bias_trained = false) {
  auto entry = std::make_unique<Entry>();
  entry->name = std::move(name);
  const ModelOptions options = {.model = kind, .num_classes = 2, .hidden_size = 4};
  entry->model = make_model(options, torch::kFloat64, torch::kCPU);
  entry->model->set_weights(glorot_weights(options, kSeed, torch::kFloat64));
  if (second_bias_trained) {
    entry->model->named_parameters()["rnn.bias_hh_l0"].requires_grad_(true);
  }
  entry->engine = std::make_unique<AutogradEngine>(
      entry->model, OptimizerOptions{.learning_rate = learning_rate});
  return entry;
}

Comparison race(const std::vector<Entry*>& entries, const Tolerance& tolerance,
                std::int64_t series_length = 9000, std::int64_t epochs = 2) {
  std::vector<Contestant> contestants;
  contestants.reserve(entries.size());
  for (Entry* entry : entries) {
    contestants.push_back({entry->name, *entry->model, *entry->engine,
                           [entry](const LogRow& row) { entry->rows.push_back(row); }});
  }
  SampledSource source(LaggedProcess::tutorial(), series_length, kSeed);
  return compare(contestants, source, {.batch_size = 3, .num_steps = 10},
                 {.epochs = epochs, .log_every = 70}, torch::kCPU, tolerance);
}

TEST(Comparison, TheTwoModelsAgree) {
  const auto manual = make_entry("manual", ModelKind::kManual);
  const auto builtin = make_entry("builtin", ModelKind::kBuiltin);
  const Comparison comparison = race({manual.get(), builtin.get()}, {.largest = 1e-9});
  EXPECT_FALSE(comparison.parting);
  EXPECT_EQ(comparison.windows, 600);
  ASSERT_EQ(comparison.variants.size(), 2U);
  EXPECT_EQ(comparison.variants[0].name, "manual");
  EXPECT_EQ(comparison.variants[0].max_loss_difference, 0.0);
  EXPECT_EQ(comparison.variants[0].max_weight_difference, 0.0);
  EXPECT_EQ(comparison.variants[0].speed_up, 1.0);
  EXPECT_EQ(comparison.variants[1].name, "builtin");
  EXPECT_LT(comparison.variants[1].max_loss_difference, 1e-12);
  EXPECT_GT(comparison.variants[1].max_loss_difference, 0.0);  // they do not compute alike
  EXPECT_LT(comparison.variants[1].max_weight_difference, 1e-12);
  for (const VariantResult& variant : comparison.variants) {
    EXPECT_GT(variant.microseconds_per_window, 0.0);
    EXPECT_GT(variant.speed_up, 0.0);
  }
}

TEST(Comparison, HasNoTimesOfAWarmUp) {
  const auto first = make_entry("first", ModelKind::kManual);
  const auto second = make_entry("second", ModelKind::kManual);
  for (const VariantResult& variant : race({first.get(), second.get()}, {}, 3000, 1).variants) {
    EXPECT_FALSE(variant.microseconds_per_window);
    EXPECT_FALSE(variant.speed_up);
  }
  const auto third = make_entry("third", ModelKind::kManual);
  const auto fourth = make_entry("fourth", ModelKind::kManual);
  for (const VariantResult& variant : race({third.get(), fourth.get()}, {}, 3030, 1).variants) {
    EXPECT_TRUE(variant.microseconds_per_window);
    EXPECT_TRUE(variant.speed_up);
  }
}

TEST(Comparison, NamesTheWeightsThatEndFarthestApart) {
  // Not the losses: the only window's update shows in the weights alone.
  const auto first = make_entry("first", ModelKind::kManual);
  const auto second = make_entry("second", ModelKind::kBuiltin, 0.2, true);
  const Comparison comparison = race({first.get(), second.get()}, {.largest = 1e-9}, 30, 1);
  EXPECT_FALSE(comparison.parting);
  EXPECT_EQ(comparison.variants[1].leading_tensor, "rnn.bias_ih_l0");
  EXPECT_GT(comparison.variants[1].max_weight_difference, 1e-3);
}

TEST(Comparison, EachVariantTrainsAsItWouldAlone) {
  const auto first = make_entry("manual", ModelKind::kManual);
  const auto second = make_entry("builtin", ModelKind::kBuiltin);
  const Comparison comparison = race({first.get(), second.get()}, {.largest = 1e-9});
  const auto alone = make_entry("alone", ModelKind::kBuiltin);
  SampledSource source(LaggedProcess::tutorial(), 9000, kSeed);
  std::vector<double> losses;
  const TrainingResult result = train(*alone->engine, source, {.batch_size = 3, .num_steps = 10},
                                      {.epochs = 2, .log_every = 70}, torch::kCPU,
                                      [&](const LogRow& row) { losses.push_back(row.mean_loss); });
  EXPECT_EQ(comparison.variants[1].final_loss, result.progress.final_loss);
  ASSERT_EQ(second->rows.size(), losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_EQ(second->rows[i].mean_loss, losses[i]);
  }
}

TEST(Comparison, CatchesASecondBiasThatIsTrained) {
  const auto manual = make_entry("manual", ModelKind::kManual);
  const auto faulty = make_entry("faulty", ModelKind::kBuiltin, 0.2, true);
  const Comparison comparison = race({manual.get(), faulty.get()}, {.largest = 1e-9});
  ASSERT_TRUE(comparison.parting);
  EXPECT_EQ(comparison.parting->variant, "faulty");
  EXPECT_EQ(comparison.parting->epoch, 1);
  EXPECT_EQ(comparison.parting->window, 2);  // the first loss is before any update
  EXPECT_EQ(comparison.parting->tensor, "rnn.bias_ih_l0");
  EXPECT_GT(comparison.parting->weight_difference, 1e-3);
  EXPECT_NE(comparison.parting->loss, comparison.parting->first_loss);
}

TEST(Comparison, NamesTheEarliestPartingOfAll) {
  const auto first = make_entry("first", ModelKind::kManual);
  const auto close = make_entry("close", ModelKind::kManual, 0.2 * (1 + 1e-6));
  const auto far = make_entry("far", ModelKind::kManual, 0.3);
  const Comparison comparison = race({first.get(), close.get(), far.get()}, {.largest = 1e-5});
  ASSERT_TRUE(comparison.parting);
  EXPECT_EQ(comparison.parting->variant, "far");
  EXPECT_EQ(comparison.parting->window, 2);
}

TEST(Comparison, JudgesNoWindowBeyondTheTolerances) {
  const auto first = make_entry("first", ModelKind::kManual);
  const auto far = make_entry("far", ModelKind::kManual, 0.3);
  EXPECT_FALSE(race({first.get(), far.get()}, {.largest = 1e-9, .windows = 1}).parting);
  const auto again = make_entry("first", ModelKind::kManual);
  const auto far_again = make_entry("far", ModelKind::kManual, 0.3);
  EXPECT_TRUE(race({again.get(), far_again.get()}, {.largest = 1e-9, .windows = 2}).parting);
}

/// Reports one loss wrong.
class OneWrongLoss final : public Engine {
 public:
  OneWrongLoss(Engine& engine, std::int64_t window) : engine_(engine), left_(window) {}

  [[nodiscard]] torch::Tensor initial_state(std::int64_t batch_size) const override {
    return engine_.initial_state(batch_size);
  }
  Advance advance(const WindowDataset& windows, WindowRange range, torch::Tensor state) override {
    Advance advance = engine_.advance(windows, range, std::move(state));
    if (left_ > 0 && left_ <= range.count) {
      advance.losses[left_ - 1] += 1.0;
    }
    left_ -= range.count;
    return advance;
  }

 private:
  Engine& engine_;
  std::int64_t left_;
};

TEST(Comparison, FindsTheOneWindowThatDiffersInAnyEpoch) {
  for (const std::int64_t wrong : {1, 99, 100, 101, 300, 301, 471, 600}) {
    SCOPED_TRACE(wrong);
    const auto first = make_entry("first", ModelKind::kManual);
    const auto second = make_entry("second", ModelKind::kManual);
    OneWrongLoss engine(*second->engine, wrong);
    const auto ignore = [](const LogRow& /*row*/) {};
    SampledSource source(LaggedProcess::tutorial(), 9000, kSeed);
    const Comparison comparison =
        compare({{"first", *first->model, *first->engine, ignore},
                 {"second", *second->model, engine, ignore}},
                source, {.batch_size = 3, .num_steps = 10}, {.epochs = 2, .log_every = 70},
                torch::kCPU, {.largest = 0.5});
    ASSERT_TRUE(comparison.parting);
    EXPECT_EQ((comparison.parting->epoch - 1) * 300 + comparison.parting->window, wrong);
    EXPECT_NEAR(comparison.parting->loss - comparison.parting->first_loss, 1.0, 1e-12);
    EXPECT_NEAR(comparison.variants[1].max_loss_difference, 1.0, 1e-12);
    EXPECT_EQ(comparison.variants[1].max_weight_difference, 0.0);
  }
}

TEST(Comparison, SaysWhichVariantDiverges) {
  const auto first = make_entry("tame", ModelKind::kManual);
  const auto wild = make_entry("wild", ModelKind::kManual, 1e308);
  try {
    race({first.get(), wild.get()}, {.largest = 1.0});
    FAIL() << "nothing was thrown";
  } catch (const DivergenceError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("wild: the loss is ")) << error.what();
  }
}

}  // namespace
}  // namespace unroll
