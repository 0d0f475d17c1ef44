#include "cli/output_kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include <unroll/base/quote.h>

#include "cli/flags.h"

namespace unroll::cli {
namespace {

/// Endings of the formats that a user may expect from a program that trains networks.
constexpr std::array<std::string_view, 16> kFileEndings = {
    ".bin", ".csv", ".h5",  ".html",        ".json", ".npy", ".npz", ".onnx",
    ".pkl", ".pt",  ".pth", ".safetensors", ".svg",  ".ts",  ".txt", ".zip"};

/// A name's ending in lower case, with its dot; empty if it has none.
std::string ending_of(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  bool has_letter = false;
  for (char& c : ending) {
    const auto byte = static_cast<unsigned char>(c);
    has_letter = has_letter || std::isalpha(byte) != 0;
    c = static_cast<char>(std::tolower(byte));
  }
  return has_letter ? ending : "";
}

bool contains(const auto& endings, const std::string& ending) {
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

}  // namespace

OutputKind torchscript_file() {
  return {.placeholder = "FILE.pt",
          .description = "a TorchScript file",
          .endings = {".pt", ".pth", ".ts"}};
}

OutputKind weights_file() {
  return {.placeholder = "FILE.safetensors",
          .description = "a safetensors file",
          .endings = {".safetensors"}};
}

OutputKind series_file() {
  return {
      .placeholder = "FILE.bin", .description = "a series in its binary form", .endings = {".bin"}};
}

OutputKind folder() { return {.placeholder = "DIR", .description = "a folder", .endings = {}}; }

void check_name(const std::string& flag, const OutputKind& kind, const std::string& path) {
  const std::string ending = ending_of(path);
  if (kind.endings.empty()) {
    if (contains(kFileEndings, ending)) {
      throw UsageError(fmt::format("--{} must not end in {}, because it is {}; got {}", flag,
                                   ending, kind.description, in_quotes(path)));
    }
  } else if (!ending.empty() && !contains(kind.endings, ending)) {
    throw UsageError(fmt::format("--{} must end in {}, or have no ending, because it is {}; got {}",
                                 flag, fmt::join(kind.endings, " or "), kind.description,
                                 in_quotes(path)));
  }
}

}  // namespace unroll::cli
