#include <unroll/run/json.h>

#include <fmt/format.h>

#include <set>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/base/quote.h>

namespace unroll {
namespace {

using Parsed = nlohmann::json;

/// Refuses what the JSON library would take: a name twice in an object, deep nesting. In a pass of
/// its own, because with a callback Parsed::parse() walks over all of a container at the end of
/// each object in it, and takes the square of the time.
class Strict final : public nlohmann::json_sax<Parsed> {
 public:
  Strict(const std::string& file, const std::string& what) : file_(file), what_(what) {}

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) {
      throw FileError(file_,
                      fmt::format("{} names {} twice", what_, printable(Parsed(name).dump())));
    }
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const Parsed::exception& /*error*/) override {
    throw FileError(file_, what_ + " is no valid JSON");
  }

 private:
  bool open() {
    constexpr std::size_t kDeepest = 8;
    names_.emplace_back();
    if (names_.size() > kDeepest) {
      throw FileError(file_, what_ + " is nested too deep");
    }
    return true;
  }

  bool close() {
    names_.pop_back();
    return true;
  }

  const std::string& file_;
  const std::string& what_;
  std::vector<std::set<std::string>> names_;  ///< of the objects that are open; none in an array
};

}  // namespace

Json floors_json(const Floors& floors) {
  Json per_lag = Json::object();
  for (const auto& [lag, loss] : floors.per_lag) {
    per_lag[fmt::to_string(lag)] = loss;
  }
  return {{"none", floors.none},
          {"per_lag", per_lag},
          {"all", floors.all},
          {"no_carry", floors.no_carry}};
}

Parsed parse_json(std::string_view text, const std::string& file, const std::string& what) {
  if (text.find('\0') != std::string_view::npos) {  // which the library takes for the end
    throw FileError(file, what + " is no valid JSON");
  }
  Strict strict(file, what);
  Parsed::sax_parse(text.begin(), text.end(), &strict);
  return Parsed::parse(text.begin(), text.end());
}

}  // namespace unroll
