// Which classes occur in a series, and how it is said.

#include <unroll/data/class_set.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <unroll/data/csv.h>

namespace unroll {
namespace {

/// What is said of a series with these inputs, all of whose targets are the first of them.
std::string gaps_of(const std::vector<std::int64_t>& inputs) {
  std::string text = "input,target\n";
  for (const std::int64_t input : inputs) {
    text += std::to_string(input) + "," + std::to_string(inputs.front()) + "\n";
  }
  return ClassSet(parse_csv(text, "my.csv")).describe_gaps();
}

TEST(ClassSet, SaysNothingIfAllOccur) {
  EXPECT_EQ(gaps_of({0, 1}), "");
  EXPECT_EQ(gaps_of({2, 0, 1, 1}), "");
}

TEST(ClassSet, CountsInputsAndTargetsTogether) {
  EXPECT_EQ(ClassSet(parse_csv("input,target\n0,1\n0,1\n", "my.csv")).describe_gaps(), "");
}

TEST(ClassSet, SaysWhichOccurAndHowManyTheNetworkGets) {
  EXPECT_EQ(gaps_of({10, 20, 30}),
            "only the classes 10, 20, 30 occur, but the network gets 31, from 0 to 30");
  EXPECT_EQ(gaps_of({3, 1, 2}),
            "only the classes 1 to 3 occur, but the network gets 4, from 0 to 3");
  EXPECT_EQ(gaps_of({0, 2, 3, 7}),
            "only the classes 0, 2 to 3, 7 occur, but the network gets 8, from 0 to 7");
}

TEST(ClassSet, OneClassIsAGapToo) {
  EXPECT_EQ(gaps_of({0}), "only the class 0 occurs, but the network gets 2, from 0 to 1");
}

TEST(ClassSet, NamesTheFirstOfMany) {
  EXPECT_EQ(gaps_of({0, 2, 4, 6, 8, 10, 12, 14, 16}),
            "only the classes 0, 2, 4, 6, 8, 10, 12, 14, ... (9 in all) occur, but the network "
            "gets 17, from 0 to 16");
}

TEST(ClassSet, GrowsBlockByBlock) {
  ClassSet set;
  set.add({.inputs = {0}, .targets = {0}, .num_classes = 2});
  set.add({.inputs = {3}, .targets = {1}, .num_classes = 4});
  EXPECT_EQ(set.describe_gaps(),
            "only the classes 0 to 1, 3 occur, but the network gets 4, from 0 to 3");
}

}  // namespace
}  // namespace unroll
