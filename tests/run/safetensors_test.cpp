// The safetensors format: good files byte by byte, and every way a file can lie.

#include <unroll/run/safetensors.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include <unroll/base/error.h>

#include "../support/safetensors.h"

namespace unroll {
namespace {

using testing::encode_safetensors;

/// A number as the eight little-endian bytes that a file begins with.
std::string length_bytes(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  }
  return bytes;
}

/// A file of this header and these tensor bytes.
std::string file_of(const std::string& header, const std::string& data) {
  return length_bytes(header.size()) + header + data;
}

/// The header of one float32 tensor x of two values, with one thing different.
std::string header_of_x(const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
  return R"({"x":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

/// What these bytes are refused with.
std::string bytes_refusal(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "my.safetensors");
  } catch (const FileError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_same(const SafeTensors& one, const SafeTensors& other) {
  ASSERT_EQ(one.size(), other.size());
  for (const auto& [name, tensor] : one) {
    ASSERT_TRUE(other.contains(name)) << name;
    EXPECT_EQ(tensor.dtype, other.at(name).dtype) << name;
    EXPECT_EQ(tensor.shape, other.at(name).shape) << name;
    EXPECT_EQ(tensor.bytes, other.at(name).bytes) << name;
  }
}

/// A matrix, a scalar, an empty tensor, and a name that JSON has to escape.
SafeTensors some_tensors() {
  return {{"matrix", {"F32", {2, 3}, std::string("0\0002\3774567890123456789ABCD", 24)}},
          {"scalar", {"F64", {}, "12345678"}},
          {"empty", {"I64", {3, 0, 5}, ""}},
          {"a \"quoted\" \\ name", {"BOOL", {1}, "1"}}};
}

TEST(Safetensors, WritesTheBytesOfTheFormat) {
  // 58 bytes of JSON, padded with spaces so that the data begin at a multiple of eight.
  const std::string header = R"({"abc":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}      )";
  EXPECT_EQ(encode_safetensors({{"abc", {"F32", {1, 2}, "abcdefgh"}}}),
            std::string("\100\0\0\0\0\0\0\0", 8) + header + "abcdefgh");
}

TEST(Safetensors, DataBeginAligned) {
  for (std::size_t length = 1; length <= 16; ++length) {
    const std::string bytes =
        encode_safetensors({{std::string(length, 'n'), {"F32", {1}, "abcd"}}});
    EXPECT_EQ((bytes.size() - 4) % 8, 0U) << length;
    EXPECT_EQ(bytes.substr(bytes.size() - 4), "abcd");
  }
}

TEST(Safetensors, ReadsAFileWrittenByHand) {
  // In another order than the data, padded, and with metadata, as Python's writer may do it.
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("b":{"data_offsets":[8,12],"shape":[4],"dtype":"U8"},)"
                             R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}   )";
  const SafeTensors tensors =
      parse_safetensors(file_of(header, "AAAABBBBcccc"), "my.safetensors").tensors;
  expect_same(tensors, {{"a", {"F32", {2, 1}, "AAAABBBB"}}, {"b", {"U8", {4}, "cccc"}}});
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const SafeTensors tensors = some_tensors();
  expect_same(parse_safetensors(encode_safetensors(tensors), "my.safetensors").tensors, tensors);
}

TEST(Safetensors, ReadsBackNoTensors) {
  EXPECT_TRUE(parse_safetensors(encode_safetensors({}), "my.safetensors").tensors.empty());
}

TEST(Safetensors, TheSameTensorsGiveTheSameBytes) {
  SafeTensors one;
  one["a"] = {"F32", {1}, "aaaa"};
  one["b"] = {"U8", {2}, "bb"};
  SafeTensors other;
  other["b"] = {"U8", {2}, "bb"};
  other["a"] = {"F32", {1}, "aaaa"};
  EXPECT_EQ(encode_safetensors(one), encode_safetensors(other));
}

TEST(Safetensors, KnowsEveryDtypesSize) {
  const std::pair<const char*, std::size_t> sizes[] = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
      {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};
  for (const auto& [dtype, size] : sizes) {
    const SafeTensors tensors = {{"x", {dtype, {3}, std::string(3 * size, 'x')}}};
    expect_same(parse_safetensors(encode_safetensors(tensors), "my.safetensors").tensors, tensors);
  }
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string bytes = encode_safetensors(some_tensors());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(bytes_refusal(bytes.substr(0, length)), "accepted")
        << length << " of " << bytes.size();
  }
  EXPECT_EQ(bytes_refusal(bytes), "accepted");
}

TEST(Safetensors, RefusesEveryHeaderLengthButTheRightOne) {
  const std::string bytes = file_of(header_of_x(R"("F32")", "[2]", "[0,8]"), "abcdefgh");
  const std::uint64_t right = bytes.size() - 16;
  for (std::uint64_t length = 0; length < bytes.size() + 8; ++length) {
    const std::string message = bytes_refusal(length_bytes(length) + bytes.substr(8));
    EXPECT_EQ(message == "accepted", length == right) << length << ": " << message;
  }
}

TEST(Safetensors, RefusesAbsurdHeaderLengths) {
  const std::string rest = file_of(header_of_x(R"("F32")", "[2]", "[0,8]"), "abcdefgh").substr(8);
  for (int bit = 8; bit < 64; ++bit) {
    EXPECT_NE(bytes_refusal(length_bytes(std::uint64_t{1} << bit) + rest), "accepted") << bit;
  }
  EXPECT_EQ(bytes_refusal(length_bytes(UINT64_MAX) + rest),
            "my.safetensors: is truncated or not a safetensors file: its header claims "
            "18446744073709551615 bytes, " +
                std::to_string(rest.size()) + " are left");
  EXPECT_NE(bytes_refusal(length_bytes(UINT64_MAX - 7) + rest), "accepted");
}

TEST(Safetensors, EveryFlippedBitOfTheHeaderIsReadOrRefused) {
  // Whatever comes of it, it is a result or a FileError, and reads no byte out of bounds.
  const std::string bytes = encode_safetensors(some_tensors());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 1 << bit);
      EXPECT_NO_THROW(bytes_refusal(damaged)) << "byte " << i << " bit " << bit;
    }
  }
}

struct BadFile {
  const char* name;
  std::string header;
  std::string message;  ///< what stands after the file's name, or a part of it
};

/// A text, a hundred thousand times.
std::string repeated(const std::string& text) {
  std::string result;
  for (int i = 0; i < 100'000; ++i) {
    result += text;
  }
  return result;
}

std::ostream& operator<<(std::ostream& stream, const BadFile& file) { return stream << file.name; }

// The format wants a JSON object that begins with the header's first byte, and nothing but spaces
// after it.
constexpr const char* kNoHeader = "is not a safetensors file: its header is no ";
constexpr const char* kNoJson = "its header is no valid JSON";

class BadSafetensors : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedWithReason) {
  const std::string message = bytes_refusal(file_of(GetParam().header, "abcdefgh"));
  EXPECT_EQ(message.substr(0, 16), "my.safetensors: ");
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Headers, BadSafetensors,
    ::testing::Values(
        BadFile{"Empty", "", kNoHeader}, BadFile{"Garbage", "garbage!", kNoHeader},
        BadFile{"HalfAnObject", R"({"x":)", kNoHeader}, BadFile{"TwoObjects", "{}{}", kNoJson},
        BadFile{"InvalidUtf8", "{\"\xFF\":1}", kNoJson},
        BadFile{"NulBytesAfter", std::string("{}\0\0", 4), kNoHeader},
        BadFile{"NulByteAndMore",
                header_of_x(R"("F32")", "[2]", "[0,8]").append("\0 what follows is not seen}", 27),
                kNoHeader},
        BadFile{"SpaceBefore", " {}", kNoHeader},
        BadFile{"ByteOrderMarkBefore", "\xEF\xBB\xBF{}", kNoHeader},
        BadFile{"Array", "[1,2]", kNoHeader}, BadFile{"Number", "17", kNoHeader},
        BadFile{"Null", "null", kNoHeader},
        BadFile{"DeepArrays", R"({"x":)" + repeated("[") + repeated("]") + "}", "nested too deep"},
        BadFile{"DeepObjects", repeated(R"({"x":)") + "1" + repeated("}"), "nested too deep"},
        BadFile{"MetadataNumber", R"({"__metadata__":5})", "has a __metadata__ that is no object"},
        BadFile{"MetadataOfNumbers", R"({"__metadata__":{"a":5}})", "is no object of texts"},
        BadFile{"NoTensors", "{}", "has 8 bytes after its last tensor"},
        BadFile{"NameTwice",
                R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                R"("x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                R"(its header names "x" twice)"},
        BadFile{"KeyTwice",
                R"({"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                R"(its header names "dtype" twice)"},
        BadFile{"EntryNoObject", R"({"x":[0,8]})", "x must have data_offsets of two integers"},
        BadFile{"EntryNull", R"({"x":null})", "x must have data_offsets of two integers"},
        BadFile{"NoOffsets", R"({"x":{"dtype":"F32","shape":[2]}})",
                "x must have data_offsets of two integers"},
        BadFile{"OneOffset", header_of_x(R"("F32")", "[2]", "[0]"), "two integers"},
        BadFile{"ThreeOffsets", header_of_x(R"("F32")", "[2]", "[0,8,8]"), "two integers"},
        BadFile{"FloatOffset", header_of_x(R"("F32")", "[2]", "[0,8.0]"), "two integers"},
        BadFile{"TextOffset", header_of_x(R"("F32")", "[2]", R"([0,"8"])"), "two integers"},
        BadFile{"NegativeOffset", header_of_x(R"("F32")", "[2]", "[-8,0]"), "two integers"},
        BadFile{"OffsetAbove64Bits", header_of_x(R"("F32")", "[2]", "[0,18446744073709551624]"),
                "two integers"},
        BadFile{"OffsetsSwapped", header_of_x(R"("F32")", "[2]", "[8,0]"),
                "x claims bytes 8 to 0 of 8"},
        BadFile{"OffsetBeyondTheEnd", header_of_x(R"("F32")", "[3]", "[0,12]"),
                "is truncated or lies about its size: x claims bytes 0 to 12 of 8"},
        BadFile{"OffsetAtTheEndOf64Bits",
                header_of_x(R"("F32")", "[2]", "[18446744073709551608,18446744073709551615]"),
                "lies about its size"},
        BadFile{"NoDtype", R"({"x":{"shape":[2],"data_offsets":[0,8]}})",
                "x must have a dtype and a shape of integers"},
        BadFile{"NoShape", R"({"x":{"dtype":"F32","data_offsets":[0,8]}})",
                "x must have a dtype and a shape of integers"},
        BadFile{"DtypeNoText", header_of_x("32", "[2]", "[0,8]"), "a dtype and a shape"},
        BadFile{"UnknownDtype", header_of_x(R"("F31")", "[2]", "[0,8]"),
                R"(x of dtype "F31" and shape [2] does not fill its 8 bytes)"},
        BadFile{"LowerCaseDtype", header_of_x(R"("f32")", "[2]", "[0,8]"), "does not fill"},
        BadFile{"EmptyDtype", header_of_x(R"("")", "[2]", "[0,8]"), "does not fill"},
        BadFile{"ShapeNoArray", header_of_x(R"("F32")", "2", "[0,8]"), "a dtype and a shape"},
        BadFile{"ShapeOfShapes", header_of_x(R"("F32")", "[[2]]", "[0,8]"), "a dtype and a shape"},
        BadFile{"NegativeShape", header_of_x(R"("F32")", "[-2]", "[0,8]"), "a dtype and a shape"},
        BadFile{"TwoNegativeExtents", header_of_x(R"("F32")", "[-1,-2]", "[0,8]"),
                "a dtype and a shape"},
        BadFile{"FractionalShape", header_of_x(R"("F32")", "[2.0]", "[0,8]"),
                "a dtype and a shape"},
        BadFile{"ShapeTooLarge", header_of_x(R"("F32")", "[3]", "[0,8]"),
                "shape [3] does not fill its 8 bytes"},
        BadFile{"ShapeTooSmall", header_of_x(R"("F32")", "[1]", "[0,8]"),
                "shape [1] does not fill its 8 bytes"},
        BadFile{"ScalarOfEightBytes", header_of_x(R"("F32")", "[]", "[0,8]"),
                "shape [] does not fill its 8 bytes"},
        BadFile{"ShapeThatIsEightModulo64Bits",
                header_of_x(R"("F32")", "[4611686018427387906]", "[0,8]"), "does not fill"},
        BadFile{"ShapeThatOverflowsToEight",
                header_of_x(R"("F32")", "[2,4611686018427387905]", "[0,8]"), "does not fill"},
        BadFile{"ShapeAbove63Bits", header_of_x(R"("F32")", "[9223372036854775808]", "[0,8]"),
                "a dtype and a shape"},
        BadFile{"ShapeThatOverflowsToZero",
                R"({"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]},)"
                R"("y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                "does not fill its 0 bytes"},
        BadFile{"TrailingBytes", header_of_x(R"("F32")", "[1]", "[0,4]"),
                "has 4 bytes after its last tensor"},
        BadFile{"GapBefore", header_of_x(R"("F32")", "[1]", "[4,8]"),
                "x begins at byte 4, expected 0: tensors must neither overlap nor leave gaps"},
        BadFile{"GapBetween",
                R"({"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                R"("y":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                "y begins at byte 4, expected 3"},
        BadFile{"Overlap",
                R"({"x":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},)"
                R"("y":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                "y begins at byte 4, expected 5"},
        BadFile{"TwiceTheSameBytes",
                R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                R"("y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                "y begins at byte 0, expected 8"}),
    [](const auto& instance) { return instance.param.name; });

TEST(Safetensors, AcceptsEmptyTensorsAnywhere) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("c":{"dtype":"F32","shape":[0,7],"data_offsets":[8,8]}})";
  EXPECT_EQ(parse_safetensors(file_of(header, "abcdefgh"), "f").tensors.at("b").bytes, "abcdefgh");
}

TEST(Safetensors, AcceptsMetadataOfItsOwnNames) {
  const std::string header =
      R"({"__metadata__":{"dtype":"none","x":"y"},"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})";
  EXPECT_EQ(parse_safetensors(file_of(header, "abcdefgh"), "f").tensors.size(), 1U);
}

TEST(Safetensors, MessagesStayOneShortPrintableLine) {
  // A tensor's name, dtype and shape are another's text, and may be anything.
  const std::string hostile[] = {
      R"({"line\nbreak\u001b[2J":null})",
      R"({"line\nbreak":{"dtype":"U8","shape":[8],"data_offsets":[0,9]}})",
      R"({"line\nbreak":{"dtype":"U8","shape":[7],"data_offsets":[0,8]}})",
      R"({"line\nbreak":{"dtype":"U8","shape":[7],"data_offsets":[1,8]}})",
      R"({"line\nbreak":1,"line\nbreak":1})",
      R"({")" + std::string(10'000, 'x') + R"(":null})",
      header_of_x("\"" + std::string(10'000, 'x') + "\"", "[8]", "[0,8]"),
      header_of_x(R"("U8")", "[1" + std::string(10'000, ' ') + "]", "[0,8]"),
      header_of_x(R"("U8")",
                  [] {
                    std::string shape = "[1";
                    for (int i = 0; i < 10'000; ++i) {
                      shape += ",1";
                    }
                    return shape + "]";
                  }(),
                  "[0,8]"),
  };
  for (const std::string& header : hostile) {
    const std::string message = bytes_refusal(file_of(header, "abcdefgh"));
    EXPECT_NE(message, "accepted");
    EXPECT_LT(message.size(), 500U) << message.substr(0, 100);
    for (const char c : message) {
      ASSERT_TRUE(c >= 0x20 && c <= 0x7E) << message.substr(0, 100);
    }
  }
}

TEST(Safetensors, TensorsThatOverlapTakeNoMemory) {
  // Each of 150 tensors claims the same 2 MB: a copy of each would be 300 MB.
  constexpr std::size_t kSize = 2'000'000;
  nlohmann::json header;
  for (int i = 0; i < 150; ++i) {
    header[std::to_string(i)] = {{"dtype", "U8"}, {"shape", {kSize}}, {"data_offsets", {0, kSize}}};
  }
  const std::string bytes = file_of(header.dump(), std::string(kSize, 'x'));
  const auto peak_kilobytes = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const auto before = peak_kilobytes();
  EXPECT_NE(bytes_refusal(bytes), "accepted");
  EXPECT_LT(peak_kilobytes() - before, 50'000);
}

}  // namespace
}  // namespace unroll
