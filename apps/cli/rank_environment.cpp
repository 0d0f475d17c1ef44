#include "cli/rank_environment.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "cli/flags.h"

namespace unroll::cli {
namespace {

constexpr std::int64_t kMostRanks = 1'000'000;

/// A variable's value; none if it is not set or empty.
std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::string need(const char* name) {
  const auto value = variable(name);
  if (!value) {
    throw UsageError(fmt::format("{} must be set where WORLD_SIZE is more than 1", name));
  }
  return *value;
}

std::int64_t parse(const char* name, const std::string& text, std::int64_t least,
                   std::int64_t most) {
  std::int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last || value < least || value > most) {
    throw UsageError(fmt::format("{} must be an integer from {} to {}, got {}", name, least, most,
                                 in_quotes(text)));
  }
  return value;
}

}  // namespace

std::optional<RankOptions> read_rank_environment() {
  const auto size_text = variable("WORLD_SIZE");
  const auto rank_text = variable("RANK");
  if (!size_text) {
    if (rank_text) {  // else every process would train alone
      throw UsageError("WORLD_SIZE must be set where RANK is");
    }
    return std::nullopt;
  }
  RankOptions options;
  options.size = parse("WORLD_SIZE", *size_text, 1, kMostRanks);
  if (rank_text || options.size > 1) {
    options.rank = parse("RANK", need("RANK"), 0, options.size - 1);
  }
  if (options.size == 1) {
    return std::nullopt;
  }
  options.local_rank = options.rank;
  if (const auto local = variable("LOCAL_RANK")) {
    options.local_rank = parse("LOCAL_RANK", *local, 0, options.size - 1);
  }
  options.master_address = need("MASTER_ADDR");
  options.master_port = parse("MASTER_PORT", need("MASTER_PORT"), 1, RankOptions::kMostPort);
  // torchrun has a store of its own at the port, for every attempt to start the ranks.
  options.launcher_listens = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  options.attempt = variable("TORCHELASTIC_RESTART_COUNT").value_or(options.attempt);
  options.interface = variable("GLOO_SOCKET_IFNAME").value_or("");
  return options;
}

void check_trains_alone() {
  const auto size = variable("WORLD_SIZE");
  if (size && *size != "1") {
    throw UsageError(fmt::format(
        "WORLD_SIZE must be 1 or not set, since only unroll-train trains in several processes, "
        "got {}",
        in_quotes(*size)));
  }
}

std::string name_in_ranks(const std::string& program) {
  const std::string size = variable("WORLD_SIZE").value_or("1");
  const auto rank = variable("RANK");
  return size != "1" && rank ? fmt::format("{}: rank {}", program, printable(*rank)) : program;
}

}  // namespace unroll::cli
