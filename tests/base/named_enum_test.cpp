// An enum's names, there and back.

#include <unroll/base/named_enum.h>

#include <gtest/gtest.h>

#include <array>
#include <optional>

namespace unroll {

enum class Fruit { kApple, kFig };

template <>
inline constexpr std::array kNames<Fruit> = {NamedValue<Fruit>{"apple", Fruit::kApple},
                                             NamedValue<Fruit>{"fig", Fruit::kFig}};

namespace {

TEST(NamedEnum, GoesThereAndBack) {
  EXPECT_EQ(name_of(Fruit::kFig), "fig");
  EXPECT_EQ(from_name<Fruit>("fig"), Fruit::kFig);
  EXPECT_EQ(from_name<Fruit>("apple"), Fruit::kApple);
}

TEST(NamedEnum, KnowsOnlyWholeNames) {
  EXPECT_EQ(from_name<Fruit>("Fig"), std::nullopt);
  EXPECT_EQ(from_name<Fruit>("fi"), std::nullopt);
  EXPECT_EQ(from_name<Fruit>("figs"), std::nullopt);
  EXPECT_EQ(from_name<Fruit>(""), std::nullopt);
}

TEST(NamedEnum, ListsItsNamesInOrder) { EXPECT_EQ(all_names<Fruit>(), "apple|fig"); }

}  // namespace
}  // namespace unroll
