// A user's own series: what is read, and what is said of what is not.

#include <unroll/data/csv.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <unroll/base/error.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

using testing::TempDir;
using testing::write_bytes;
using Classes = std::vector<std::int64_t>;

void expect_series(const std::string& text, const Classes& inputs, const Classes& targets) {
  const Series series = parse_csv(text, "my.csv");
  EXPECT_EQ(series.inputs, inputs);
  EXPECT_EQ(series.targets, targets);
}

TEST(Csv, ReadsRowsInOrder) {
  expect_series("input,target\n0,1\n1,0\n1,1\n", {0, 1, 1}, {1, 0, 1});
}

TEST(Csv, TakesWindowsLineEnds) { expect_series("input,target\r\n0,1\r\n1,0\r\n", {0, 1}, {1, 0}); }

TEST(Csv, TakesMixedLineEnds) { expect_series("input,target\r\n0,1\n1,0\r\n", {0, 1}, {1, 0}); }

TEST(Csv, NeedsNoFinalNewline) {
  expect_series("input,target\n0,1\n1,0", {0, 1}, {1, 0});
  expect_series("input,target\r\n0,1\r\n1,0\r", {0, 1}, {1, 0});
}

TEST(Csv, TakesAByteOrderMark) { expect_series("\xEF\xBB\xBFinput,target\n0,1\n", {0}, {1}); }

TEST(Csv, TakesBlankLinesAtTheEnd) {
  expect_series("input,target\n0,1\n\n\n", {0}, {1});
  expect_series("input,target\r\n0,1\r\n\r\n\r\n", {0}, {1});
}

TEST(Csv, TakesLeadingZeros) { expect_series("input,target\n007,01\n", {7}, {1}); }

TEST(Csv, TakesIntegersAsPandasWritesThemInAColumnWithGaps) {
  expect_series("input,target\n0.0,1.0\n1.0,2\n12.000,0.0\r\n", {0, 1, 12}, {1, 2, 0});
}

TEST(Csv, TakesTheLargestClass) {
  const Series series = parse_csv("input,target\n65535,0\n", "my.csv");
  EXPECT_EQ(series.inputs, Classes{65'535});
  EXPECT_EQ(series.num_classes, 65'536);
}

TEST(Csv, CountsClassesOverBothColumns) {
  EXPECT_EQ(parse_csv("input,target\n4,1\n0,2\n", "my.csv").num_classes, 5);
  EXPECT_EQ(parse_csv("input,target\n1,2\n0,6\n", "my.csv").num_classes, 7);
}

TEST(Csv, HasTwoClassesAtLeast) {
  EXPECT_EQ(parse_csv("input,target\n0,0\n", "my.csv").num_classes, 2);
}

TEST(Csv, IsTheSameWhereverItIsCut) {
  const std::string text = "\xEF\xBB\xBFinput,target\r\n10,1\n0,20\r\n\r\n\n";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      CsvParser parser("my.csv");
      Series rows;
      parser.add(text.substr(0, first), rows);
      parser.add(text.substr(first, second - first), rows);
      parser.add(text.substr(second), rows);
      parser.finish(rows);
      EXPECT_EQ(rows.inputs, (Classes{10, 0}));
      EXPECT_EQ(rows.targets, (Classes{1, 20}));
      EXPECT_EQ(rows.num_classes, 21);
    }
  }
}

TEST(Csv, GivesTheRowsThatAPieceEnds) {
  CsvParser parser("my.csv");
  Series rows;
  parser.add("input,target\n1,0\n2", rows);
  EXPECT_EQ(rows.inputs, Classes{1});
  rows.inputs.clear();
  parser.add(",1\n0", rows);
  EXPECT_EQ(rows.inputs, Classes{2});
  EXPECT_EQ(rows.num_classes, 3);
}

TEST(Csv, AnEndlessLineIsRefusedBeforeItEnds) {
  const std::string piece(30'000, '0');
  for (const std::string start : {"", "input,target\n", "input,target\n\r\n"}) {
    CsvParser parser("my.csv");
    Series rows;
    parser.add(start, rows);
    parser.add(piece, rows);
    parser.add(piece, rows);
    EXPECT_THROW(parser.add(piece, rows), FileError);
  }
}

struct BadCsv {
  const char* name;
  std::string text;
  std::string message;
};

std::ostream& operator<<(std::ostream& stream, const BadCsv& csv) { return stream << csv.name; }

class BadCsvTest : public ::testing::TestWithParam<BadCsv> {};

TEST_P(BadCsvTest, IsRefusedWithPlaceAndReason) {
  try {
    parse_csv(GetParam().text, "my.csv");
    FAIL() << "it was accepted";
  } catch (const FileError& error) {
    EXPECT_EQ(error.what(), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Csv, BadCsvTest,
    ::testing::Values(
        BadCsv{"Empty", "",
               "my.csv: is empty; expected the header 'input,target' and one row a symbol"},
        BadCsv{"OnlyAByteOrderMark", "\xEF\xBB\xBF",
               "my.csv: is empty; expected the header 'input,target' and one row a symbol"},
        BadCsv{"OnlyANewline", "\n", "my.csv:1: expected the header 'input,target', got ''"},
        BadCsv{"WrongHeader", "x,y\n0,1\n",
               "my.csv:1: expected the header 'input,target', got 'x,y'"},
        BadCsv{"SwappedHeader", "target,input\n0,1\n",
               "my.csv:1: expected the header 'input,target', got 'target,input'"},
        BadCsv{"NoHeader", "0,1\n1,0\n", "my.csv:1: expected the header 'input,target', got '0,1'"},
        BadCsv{"SpaceInHeader", "input, target\n0,1\n",
               "my.csv:1: expected the header 'input,target', got 'input, target'"},
        BadCsv{"Utf16LittleEndian",
               // NOLINTNEXTLINE(bugprone-string-literal-with-embedded-nul): as UTF-16 has them
               std::string("\xFF\xFEi\0n\0p\0u\0t\0,\0t\0a\0r\0g\0e\0t\0\n\0", 28),
               "my.csv: is UTF-16 text, expected CSV in UTF-8; iconv -f UTF-16 -t UTF-8 converts "
               "it"},
        BadCsv{"Utf16BigEndian", std::string("\xFE\xFF\0i\0n\0p\0u\0t", 12),
               "my.csv: is UTF-16 text, expected CSV in UTF-8; iconv -f UTF-16 -t UTF-8 converts "
               "it"},
        BadCsv{"Gzip", "\x1F\x8B\x08 and so on\n",
               "my.csv: is a gzip file, expected CSV in UTF-8; gunzip unpacks it"},
        BadCsv{"Xz", "\xFD\x37zXZ and so on",
               "my.csv: is an xz file, expected CSV in UTF-8; unxz unpacks it"},
        BadCsv{"Zstd", "\x28\xB5\x2F\xFD and so on",
               "my.csv: is a zstd file, expected CSV in UTF-8; unzstd unpacks it"},
        BadCsv{"Spreadsheet", "PK\x03\x04 and so on",
               "my.csv: is a zip file or a spreadsheet, expected CSV in UTF-8; unpack it or export "
               "it as CSV"},
        BadCsv{"LongGzipWithoutALineEnd", "\x1F\x8B" + std::string(100'000, 'x'),
               "my.csv: is a gzip file, expected CSV in UTF-8; gunzip unpacks it"},
        BadCsv{"Binary", std::string("\177ELF\0.", 6),
               "my.csv:1: expected the header 'input,target', got '?ELF?.'"},
        BadCsv{
            "OneEndlessLine", std::string(100'000, 'x'),
            "my.csv:1: expected the header 'input,target', got '" + std::string(60, 'x') + "...'"},
        BadCsv{"HeaderOnly", "input,target", "my.csv: has a header but no rows"},
        BadCsv{"HeaderAndBlankLines", "input,target\r\n\n\r\n", "my.csv: has a header but no rows"},
        BadCsv{"OneColumn", "input,target\n0,1\n1\n",
               "my.csv:3: expected 2 columns (input,target), got 1"},
        BadCsv{"ThreeColumns", "input,target\n0,1,0\n",
               "my.csv:2: expected 2 columns (input,target), got 3"},
        BadCsv{"CommaAtTheEnd", "input,target\n0,1,\n",
               "my.csv:2: expected 2 columns (input,target), got 3"},
        BadCsv{"Semicolons", "input,target\n0;1\n",
               "my.csv:2: expected 2 columns (input,target), got 1"},
        BadCsv{"BlankLineInTheMiddle", "input,target\n0,1\n\n1,0\n",
               "my.csv:3: expected 2 columns (input,target), got an empty line"},
        BadCsv{"BlankLinesInTheMiddle", "input,target\r\n0,1\r\n\r\n\n1,0\n",
               "my.csv:3: expected 2 columns (input,target), got an empty line"},
        BadCsv{"LineOfManyZeros", "input,target\n" + std::string(70'000, '0') + ",1\n",
               "my.csv:2: expected 2 columns (input,target), got a line of more than 65536 bytes"},
        BadCsv{"NoInput", "input,target\n,1\n", "my.csv:2: input must be an integer class, got ''"},
        BadCsv{"NoTarget", "input,target\n0,\n",
               "my.csv:2: target must be an integer class, got ''"},
        BadCsv{"Word", "input,target\n0,one\n",
               "my.csv:2: target must be an integer class, got 'one'"},
        BadCsv{"Fraction", "input,target\n0,1\n0.5,1\n",
               "my.csv:3: input must be an integer class, got '0.5'"},
        BadCsv{"FractionBehindZeros", "input,target\n1.001,1\n",
               "my.csv:2: input must be an integer class, got '1.001'"},
        BadCsv{"PointAtTheEnd", "input,target\n1.,1\n",
               "my.csv:2: input must be an integer class, got '1.'"},
        BadCsv{"PointAtTheStart", "input,target\n.0,1\n",
               "my.csv:2: input must be an integer class, got '.0'"},
        BadCsv{"WholeFloatWithExponent", "input,target\n1.0e0,1\n",
               "my.csv:2: input must be an integer class, got '1.0e0'"},
        BadCsv{"WholeFloatAboveTheLargest", "input,target\n0,65536.0\n",
               "my.csv:2: target must be a class from 0 to 65535, got '65536.0'"},
        BadCsv{"HugeWholeFloat", "input,target\n99999999999999999999999.0,0\n",
               "my.csv:2: input must be a class from 0 to 65535, got '99999999999999999999999.0'"},
        BadCsv{"Exponent", "input,target\n1e0,1\n",
               "my.csv:2: input must be an integer class, got '1e0'"},
        BadCsv{"Hexadecimal", "input,target\n0x1,1\n",
               "my.csv:2: input must be an integer class, got '0x1'"},
        BadCsv{"Quoted", "input,target\n\"0\",1\n",
               "my.csv:2: input must be an integer class, got '\"0\"'"},
        BadCsv{"SpaceBefore", "input,target\n0, 1\n",
               "my.csv:2: target must be an integer class, got ' 1'"},
        BadCsv{"SpaceAfter", "input,target\n0,1 \n",
               "my.csv:2: target must be an integer class, got '1 '"},
        BadCsv{"PlusSign", "input,target\n+1,1\n",
               "my.csv:2: input must be an integer class, got '+1'"},
        BadCsv{"MinusSignAlone", "input,target\n-,1\n",
               "my.csv:2: input must be an integer class, got '-'"},
        BadCsv{"NulByte", std::string("input,target\n0,1\0\n", 17),
               "my.csv:2: target must be an integer class, got '1?'"},
        BadCsv{"CarriageReturnTwice", "input,target\n0,1\r\r\n",
               "my.csv:2: target must be an integer class, got '1?'"},
        BadCsv{"Negative", "input,target\n0,1\n-1,1\n",
               "my.csv:3: input must be a class from 0 to 65535, got '-1'"},
        BadCsv{"AboveTheLargest", "input,target\n0,65536\n",
               "my.csv:2: target must be a class from 0 to 65535, got '65536'"},
        BadCsv{"Huge", "input,target\n99999999999999999999999,0\n",
               "my.csv:2: input must be a class from 0 to 65535, got '99999999999999999999999'"},
        BadCsv{"HugeNegative", "input,target\n-99999999999999999999999,0\n",
               "my.csv:2: input must be a class from 0 to 65535, got '-99999999999999999999999'"},
        BadCsv{"HugeAndThenAWord", "input,target\n99999999999999999999999x,0\n",
               "my.csv:2: input must be an integer class, got '99999999999999999999999x'"},
        BadCsv{"LastLineOfAThousand",
               [] {
                 std::string text = "input,target\n";
                 for (int i = 0; i < 998; ++i) {
                   text += "0,1\n";
                 }
                 return text + "0,x";
               }(),
               "my.csv:1000: target must be an integer class, got 'x'"}),
    [](const auto& instance) { return instance.param.name; });

TEST(Csv, ReadsAFile) {
  const TempDir folder;
  write_bytes(folder / "my.csv", "input,target\n0,1\n1,0\n");
  const Series series = read_csv(folder / "my.csv");
  EXPECT_EQ(series.inputs, (Classes{0, 1}));
  EXPECT_EQ(series.targets, (Classes{1, 0}));
}

/// What reading this path is refused with.
std::string refusal(const std::string& path) {
  try {
    read_csv(path);
  } catch (const FileError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Csv, NamesAMissingFile) {
  const TempDir folder;
  EXPECT_EQ(refusal(folder / "none.csv"),
            folder / "none.csv" + ": cannot be opened: No such file or directory");
}

TEST(Csv, RefusesAFolder) {
  const TempDir folder;
  EXPECT_EQ(refusal(folder.path()), folder.path() + ": cannot be read: Is a directory");
}

TEST(Csv, NamesFileAndLine) {
  const TempDir folder;
  write_bytes(folder / "my.csv", "input,target\n0,1\n2,-2\n");
  EXPECT_EQ(refusal(folder / "my.csv"),
            folder / "my.csv" + ":3: target must be a class from 0 to 65535, got '-2'");
}

}  // namespace
}  // namespace unroll
