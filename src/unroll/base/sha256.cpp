#include <unroll/base/sha256.h>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <new>
#include <stdexcept>

#include <unroll/base/file.h>

namespace unroll {
namespace {

void check(int result) {
  if (result != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256 here");
  }
}

EVP_MD_CTX* context_of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(context_of(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) {
    throw std::bad_alloc();
  }
  check(EVP_DigestInit_ex(context_of(context_.get()), EVP_sha256(), nullptr));
}

void Sha256::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size()));
}

Sha256::Digest Sha256::finish() {
  Digest digest;
  check(EVP_DigestFinal_ex(context_of(context_.get()),
                           reinterpret_cast<unsigned char*>(digest.data()), nullptr));
  return digest;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

std::string to_hex(const Sha256::Digest& digest) {
  return to_hex(std::string_view(digest.data(), digest.size()));
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha256;
  sha256.add(bytes);
  return to_hex(sha256.finish());
}

std::string sha256_of_file(const std::string& path) {
  InputFile file(path);
  Sha256 sha256;
  std::array<char, 65'536>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read() fills it
  while (const std::size_t count = file.read(buffer)) {
    sha256.add({buffer.data(), count});
  }
  return to_hex(sha256.finish());
}

}  // namespace unroll
