// The binary form of a series: what a CSV file becomes, byte by byte, and what is read of it.

#include <unroll/data/series_file.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/conversion.h>
#include <unroll/data/csv.h>
#include <unroll/data/series.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

using testing::names_in;
using testing::read_bytes;
using testing::TempDir;
using testing::write_bytes;

bool go_on(std::int64_t /*bytes*/) { return true; }

/// A CSV text whose rows are in no simple order and have every class.
std::string csv_of_classes(std::int64_t rows, std::int64_t num_classes) {
  std::string text = "input,target\n";
  for (std::int64_t i = 0; i < rows; ++i) {
    text.append(std::to_string(i * 7 % num_classes)).append(",");
    text.append(std::to_string((i * i + 3) % num_classes)).append("\n");
  }
  return text;
}

class SeriesFileTest : public ::testing::Test {
 protected:
  /// Converts a CSV text to folder / "series.bin".
  Conversion convert(const std::string& csv) {
    write_bytes(folder / "series.csv", csv);
    return *convert_csv(folder / "series.csv", folder / "series.bin", go_on);
  }

  /// The first symbols of folder / "series.bin".
  [[nodiscard]] Series read_all() const {
    const auto file = std::make_shared<const SeriesFile>(folder / "series.bin");
    return first_symbols(series_in(file), file->length());
  }

  /// Changes a byte of folder / "series.bin".
  void change(std::size_t place, char byte) const {
    std::string bytes = read_bytes(folder / "series.bin");
    bytes.at(place) = byte;
    write_bytes(folder / "series.bin", bytes);
  }

  void expect_round_trip(const std::string& csv) {
    convert(csv);
    const Series expected = parse_csv(csv, "series.csv");
    const Series actual = read_all();
    EXPECT_EQ(actual.inputs, expected.inputs);
    EXPECT_EQ(actual.targets, expected.targets);
    EXPECT_EQ(actual.num_classes, expected.num_classes);
    EXPECT_NO_THROW(SeriesFile(folder / "series.bin").check_digest());
    EXPECT_EQ(names_in(folder.path()), (std::set<std::string>{"series.bin", "series.csv"}));
  }

  /// What `use` is refused with.
  template <class Use>
  [[nodiscard]] std::string refusal(const Use& use) const {
    try {
      use();
    } catch (const FileError& error) {
      const std::string message = error.what();
      const std::string name = folder / "series.bin: ";
      return message.starts_with(name) ? message.substr(name.size()) : message;
    }
    return "accepted";
  }

  TempDir folder;
};

// The digest is Python's: hashlib.sha256(data[64:] + data[:32]).
TEST_F(SeriesFileTest, HasTheBytesThatAreDocumented) {
  const Conversion made = convert("input,target\n0,1\n2,0\n1,1\n");
  const std::string start("\x89UNROLL\n\x01\0\0\0\x03\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
  const std::string symbols("\0\x01\x02\0\x01\x01", 6);
  const std::string bytes = read_bytes(folder / "series.bin");
  EXPECT_EQ(bytes.substr(0, 32), start);
  EXPECT_EQ(bytes.substr(64), symbols);
  EXPECT_EQ(made.sha256, "4d266fd63b8bffdb55c0f0a48678a2693e68497e5d980dd6d61c24d48894475e");
  EXPECT_EQ(SeriesFile(folder / "series.bin").digest(), made.sha256);
}

TEST_F(SeriesFileTest, HasTwoBytesASymbolAbove256Classes) {
  const Conversion made = convert("input,target\n1,256\n513,0\n");
  const std::string bytes = read_bytes(folder / "series.bin");
  EXPECT_EQ(bytes.substr(12, 4), std::string("\x02\x02\0\0", 4));
  EXPECT_EQ(bytes.substr(64), std::string("\x01\0\0\x01\x01\x02\0\0", 8));
  EXPECT_EQ(made.sha256, "34fb19fe794724e820acb5c25a11809dcfd165705c6892a4567586a75c61ca01");
}

TEST_F(SeriesFileTest, GivesWhatTheCsvFileHas) {
  for (const std::int64_t num_classes : {2, 3, 255, 256, 257, 40'000}) {
    SCOPED_TRACE(num_classes);
    expect_round_trip(csv_of_classes(50'000, num_classes));
  }
}

TEST_F(SeriesFileTest, WidensWhatWasWrittenBeforeAClassAbove255Comes) {
  std::string csv = csv_of_classes(300'000, 256);  // of more than one block
  for (const std::string row : {"65535,7\n", "0,1\n"}) {
    csv += row;
    expect_round_trip(csv);
  }
}

TEST_F(SeriesFileTest, ReadsAnyPart) {
  const std::string csv = csv_of_classes(40'000, 11);
  convert(csv);
  const Series whole = parse_csv(csv, "series.csv");
  const SeriesFile file(folder / "series.bin");
  for (const std::int64_t first : {0, 1, 16'383, 39'999, 40'000}) {
    for (const std::int64_t count : {0, 1, 16'384, 16'385}) {
      std::vector<std::int64_t> inputs(static_cast<std::size_t>(count));
      std::vector<std::int64_t> targets(static_cast<std::size_t>(count));
      if (first + count > 40'000) {
        EXPECT_THROW(file.read(first, count, inputs.data(), targets.data()), std::out_of_range);
        continue;
      }
      file.read(first, count, inputs.data(), targets.data());
      EXPECT_EQ(inputs,
                std::vector(whole.inputs.begin() + first, whole.inputs.begin() + first + count));
      EXPECT_EQ(targets,
                std::vector(whole.targets.begin() + first, whole.targets.begin() + first + count));
    }
  }
  EXPECT_THROW(file.read(-1, 1, nullptr, nullptr), std::out_of_range);
}

TEST_F(SeriesFileTest, NamesThePlaceOfASymbolOutsideTheClasses) {
  convert(csv_of_classes(40'000, 11));
  change(64 + 2 * 30'000 + 1, 11);
  EXPECT_EQ(refusal([&] { (void)read_all(); }),
            "is damaged: target 30000 is 11, and its header says 11 classes");
  change(64 + 2 * 29'999, '\xFF');
  EXPECT_EQ(refusal([&] { (void)read_all(); }),
            "is damaged: input 29999 is 255, and its header says 11 classes");
}

TEST_F(SeriesFileTest, NoticesThatItHasBecomeShorter) {
  convert(csv_of_classes(40'000, 2));
  const SeriesFile file(folder / "series.bin");
  std::filesystem::resize_file(folder / "series.bin", 64 + 2 * 30'000);
  std::vector<std::int64_t> symbols(30'001);
  EXPECT_NO_THROW(file.read(0, 30'000, symbols.data(), symbols.data()));
  EXPECT_EQ(refusal([&] { file.read(0, 30'001, symbols.data(), symbols.data()); }),
            "has become shorter since it was opened");
}

TEST_F(SeriesFileTest, ChecksItsDigest) {
  convert(csv_of_classes(40'000, 3));
  const std::string bytes = read_bytes(folder / "series.bin");
  for (const std::size_t place : {std::size_t{12}, std::size_t{40}, bytes.size() - 1}) {
    change(place, static_cast<char>(bytes[place] ^ 7));
    EXPECT_EQ(refusal([&] { SeriesFile(folder / "series.bin").check_digest(); }),
              "is damaged: its SHA-256 is not that of its header")
        << place;
    write_bytes(folder / "series.bin", bytes);
  }
}

TEST_F(SeriesFileTest, SaysWhatIsWrongWithAHeader) {
  convert("input,target\n0,1\n1,0\n");
  const std::string bytes = read_bytes(folder / "series.bin");
  const auto refusal_of = [&](const std::string& changed) {
    write_bytes(folder / "series.bin", changed);
    return refusal([&] { SeriesFile(folder / "series.bin"); });
  };
  const auto changed_at = [&](std::size_t place, char byte) {
    std::string changed = bytes;
    changed[place] = byte;
    return changed;
  };
  EXPECT_EQ(refusal_of(bytes), "accepted");
  EXPECT_EQ(refusal_of(changed_at(0, 'x')),
            "is no series in binary form: its first bytes are others");
  EXPECT_EQ(refusal_of(bytes.substr(0, 20)),
            "ends within its header, which has 64 bytes; it has 20");
  EXPECT_EQ(refusal_of(changed_at(8, 2)),
            "is of version 2 of the binary form; only version 1 is known");
  EXPECT_EQ(refusal_of(changed_at(12, 1)), "must have from 2 to 65536 classes, its header says 1");
  EXPECT_EQ(refusal_of(changed_at(14, 2)),
            "must have from 2 to 65536 classes, its header says 131074");
  EXPECT_EQ(refusal_of(changed_at(31, 1)), "must have zeros in its header from byte 24 on");
  EXPECT_EQ(refusal_of(changed_at(16, 3)),
            "must have 2 bytes for each of the 3 symbols that its header says, after 64 of header; "
            "it has 68 bytes");
  EXPECT_EQ(refusal_of(bytes + "x"),
            "must have 2 bytes for each of the 2 symbols that its header says, after 64 of header; "
            "it has 69 bytes");
}

TEST_F(SeriesFileTest, IsToldFromOtherFilesByItsFirstBytes) {
  convert("input,target\n0,1\n1,0\n");
  EXPECT_TRUE(is_series_file(folder / "series.bin"));
  EXPECT_FALSE(is_series_file(folder / "series.csv"));
  write_bytes(folder / "short", "\x89UNROLL");
  EXPECT_FALSE(is_series_file(folder / "short"));
  EXPECT_FALSE(is_series_file(folder / "nowhere"));
  EXPECT_FALSE(is_series_file(folder.path()));
}

TEST_F(SeriesFileTest, ABadCsvFileLeavesNothing) {
  write_bytes(folder / "series.csv", csv_of_classes(100'000, 2) + "0;1\n");
  EXPECT_EQ(refusal([&] { convert_csv(folder / "series.csv", folder / "series.bin", go_on); }),
            folder / "series.csv:100002: expected 2 columns (input,target), got 1");
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"series.csv"});
}

TEST_F(SeriesFileTest, AConversionThatIsStoppedLeavesNothing) {
  write_bytes(folder / "series.csv", csv_of_classes(300'000, 2));
  std::int64_t seen = 0;
  const auto made =
      convert_csv(folder / "series.csv", folder / "series.bin", [&](std::int64_t bytes) {
        seen = bytes;
        return bytes < 500'000;
      });
  EXPECT_FALSE(made);
  EXPECT_GE(seen, 500'000);
  EXPECT_LT(seen, 1'000'000);
  EXPECT_EQ(names_in(folder.path()), std::set<std::string>{"series.csv"});
}

TEST(Series, GivesItsFirstSymbolsFromMemory) {
  const Series series = parse_csv("input,target\n0,1\n2,0\n1,1\n", "series.csv");
  const Series first = first_symbols(series, 2);
  EXPECT_EQ(first.inputs, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(first.targets, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(first.num_classes, 3);
  EXPECT_THROW(first_symbols(series, 4), std::out_of_range);
}

}  // namespace
}  // namespace unroll
