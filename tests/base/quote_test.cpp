// Whatever other people's text holds, a message stays one short printable line.

#include <unroll/base/quote.h>

#include <gtest/gtest.h>

#include <string>

namespace unroll {
namespace {

TEST(InQuotes, LeavesPrintableTextAlone) {
  EXPECT_EQ(in_quotes("a b~!"), "'a b~!'");
  EXPECT_EQ(in_quotes(""), "''");
}

/// A character, so many times, between quotes.
std::string quoted(std::size_t count, char c, const std::string& end = "'") {
  std::string text = "'";
  return text.append(count, c).append(end);
}

TEST(InQuotes, ShowsEveryOtherByteAsAQuestionMark) {
  EXPECT_EQ(in_quotes(std::string("\0\n\r\t\x1B\x1F\x7F\x80\xFF", 9)), quoted(9, '?'));
}

TEST(InQuotes, ShortensWhatIsLong) {
  EXPECT_EQ(in_quotes(std::string(60, 'x')), quoted(60, 'x'));
  EXPECT_EQ(in_quotes(std::string(61, 'x')), quoted(60, 'x', "...'"));
}

}  // namespace
}  // namespace unroll
