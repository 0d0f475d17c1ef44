#include <unroll/run/digests.h>

#include <fmt/format.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/base/sha256.h>

namespace unroll {
namespace {

constexpr const char* kName = "/SHA256SUMS";

}  // namespace

void write_digests(const std::string& run_directory, std::string_view summary) {
  std::string text = fmt::format("{}  summary.json\n", sha256_hex(summary));
  const auto add = [&](const char* file) {
    text += fmt::format("{}  {}\n", sha256_of_file(run_directory + "/" + file), file);
  };
  for (const char* file : {"config.json", "metrics.csv", "weights.safetensors"}) {
    add(file);
  }
  for (const char* file : kReportFiles) {
    if (std::filesystem::exists(run_directory + "/" + file)) {
      add(file);
    }
  }
  write_file(run_directory + kName, text);
}

std::map<std::string, std::string> read_digests(const std::string& run_directory) {
  const std::string path = run_directory + kName;
  const std::regex form("([0-9a-f]{64})  ([A-Za-z0-9_.-]{1,64})");
  std::map<std::string, std::string> digests;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.size() > 200 || !std::regex_match(line, match, form)) {
      throw FileError(path,
                      fmt::format("line {}: expected a digest and a name", digests.size() + 1));
    }
    digests[match[2]] = match[1];
  }
  return digests;
}

}  // namespace unroll
