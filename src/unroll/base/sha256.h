// SHA-256 (FIPS 180-4), by OpenSSL.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace unroll {

/// A digest that grows piece by piece.
class Sha256 {
 public:
  static constexpr std::size_t kBytes = 32;
  using Digest = std::array<char, kBytes>;

  Sha256();

  void add(std::string_view bytes);

  /// The digest of all that was added. Nothing may be added after it.
  [[nodiscard]] Digest finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

/// Bytes in hexadecimal digits.
std::string to_hex(std::string_view bytes);
std::string to_hex(const Sha256::Digest& digest);

/// The digest of these bytes in hexadecimal digits, as sha256sum prints it.
std::string sha256_hex(std::string_view bytes);

/// The digest of a file's bytes, which it reads piece by piece.
/// @throws FileError
std::string sha256_of_file(const std::string& path);

}  // namespace unroll
