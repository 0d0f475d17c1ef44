#include <unroll/run/json.h>

#include <fmt/format.h>

#include <set>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>

namespace unroll {

nlohmann::json parse_json(std::string_view text, const std::string& file, const std::string& what) {
  using Parsed = nlohmann::json;
  constexpr int kDeepest = 8;
  std::vector<std::set<std::string>> names;
  const auto check = [&](int depth, Parsed::parse_event_t event, Parsed& parsed) {
    if (depth > kDeepest) {
      throw FileError(file, what + " is nested too deep");
    }
    if (event == Parsed::parse_event_t::object_start) {
      names.emplace_back();
    } else if (event == Parsed::parse_event_t::object_end) {
      names.pop_back();
    } else if (event == Parsed::parse_event_t::key &&
               !names.back().insert(parsed.get<std::string>()).second) {
      throw FileError(file, fmt::format("{} names {} twice", what, printable(parsed.dump())));
    }
    return true;
  };
  try {
    return Parsed::parse(text.begin(), text.end(), check);
  } catch (const Parsed::exception&) {
    throw FileError(file, what + " is no valid JSON");
  }
}

}  // namespace unroll
