// The models' options: defaults, and what is refused.

#include <unroll/model/options.h>

#include <gtest/gtest.h>

#include <unroll/base/error.h>

namespace unroll {
namespace {

TEST(ModelOptions, DefaultsAreTheTutorials) {
  EXPECT_EQ(ModelOptions().model, ModelKind::kManual);
  EXPECT_EQ(ModelOptions().num_classes, 2);
  EXPECT_EQ(ModelOptions().hidden_size, 4);
}

TEST(ModelOptions, SizesAreOneOrMore) {
  EXPECT_NO_THROW((ModelOptions{.num_classes = 1, .hidden_size = 1}.validate()));
  EXPECT_THROW(ModelOptions{.num_classes = 0}.validate(), InvalidOption);
  EXPECT_THROW(ModelOptions{.hidden_size = 0}.validate(), InvalidOption);
  EXPECT_THROW(ModelOptions{.hidden_size = -4}.validate(), InvalidOption);
}

TEST(ModelOptions, NamesAreTheContracts) { EXPECT_EQ(all_names<ModelKind>(), "manual|builtin"); }

}  // namespace
}  // namespace unroll
