// Text inside HTML.

#include <unroll/report/markup.h>

#include <gtest/gtest.h>

namespace unroll {
namespace {

TEST(Escaped, WhatHasAMeaningInMarkup) {
  EXPECT_EQ(escaped("<script>alert(1)</script>&\"'.csv"),
            "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;.csv");
}

TEST(Escaped, LeavesTheRest) {
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("runs/r\u00E9sultat 1\n"), "runs/r\u00E9sultat 1\n");
}

TEST(Escaped, ReplacesWhatIsNoText) {
  EXPECT_EQ(escaped("r\xE9sultat"), "r\uFFFDsultat");  // Latin-1
  EXPECT_EQ(escaped("a\x01\x1B\x7F"), "a\uFFFD\uFFFD\uFFFD");
}

}  // namespace
}  // namespace unroll
