// Range checks, and how their errors read.

#include <unroll/base/check.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include <unroll/base/error.h>

namespace unroll {
namespace {

TEST(CheckAtLeast, AcceptsTheLeastAndMore) {
  EXPECT_NO_THROW(check_at_least("size", 1, 1));
  EXPECT_NO_THROW(check_at_least("size", std::numeric_limits<std::int64_t>::max(), 1));
}

TEST(CheckAtLeast, NamesOptionAndValue) {
  try {
    check_at_least("batch_size", 0, 1);
    FAIL() << "0 was accepted";
  } catch (const InvalidOption& error) {
    EXPECT_EQ(error.option(), "batch_size");
    EXPECT_EQ(error.problem(), "must be at least 1, got 0");
    EXPECT_STREQ(error.what(), "batch_size must be at least 1, got 0");
  }
}

TEST(CheckBetween, AcceptsBothEnds) {
  EXPECT_NO_THROW(check_between("seed", -3, -3, 5));
  EXPECT_NO_THROW(check_between("seed", 5, -3, 5));
}

TEST(CheckBetween, RefusesWhatIsJustOutside) {
  EXPECT_THROW(check_between("seed", -4, -3, 5), InvalidOption);
  try {
    check_between("seed", 6, -3, 5);
    FAIL() << "6 was accepted";
  } catch (const InvalidOption& error) {
    EXPECT_STREQ(error.what(), "seed must be from -3 to 5, got 6");
  }
}

TEST(FileError, BeginsWithThePath) {
  const FileError error("folder/file", "is empty");
  EXPECT_STREQ(error.what(), "folder/file: is empty");
}

}  // namespace
}  // namespace unroll
