// SHA-256 against the examples of FIPS 180-2, appendix B.

#include <unroll/base/sha256.h>

#include <gtest/gtest.h>

#include <string>

#include <unroll/base/error.h>

#include "../support/temp_dir.h"

namespace unroll {
namespace {

TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameOfAFile) {
  const testing::TempDir folder;
  const std::string path = folder / "file";
  testing::write_bytes(path, std::string(1'000'000, 'a'));
  EXPECT_EQ(sha256_of_file(path), sha256_hex(std::string(1'000'000, 'a')));
  EXPECT_THROW((void)sha256_of_file(folder / "nowhere"), FileError);
}

TEST(Sha256, IsTheSameInPieces) {
  Sha256 whole;
  whole.add("one two");
  Sha256 pieces;
  pieces.add("one");
  pieces.add("");
  pieces.add(" two");
  EXPECT_EQ(pieces.finish(), whole.finish());
}

}  // namespace
}  // namespace unroll
