// How this room reads and writes JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <unroll/data/lagged_process.h>

namespace unroll {

using Json = nlohmann::ordered_json;

/// The text of a JSON file: indented, with a final newline. Bytes that are no UTF-8, as a path may
/// have, become U+FFFD.
inline std::string to_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// The loss floors under their names.
Json floors_json(const Floors& floors);

/// The JSON of a text that is not trusted: no name twice in an object, no deep nesting. `file` and
/// `what` stand for the text in errors.
/// @throws FileError
nlohmann::json parse_json(std::string_view text, const std::string& file, const std::string& what);

}  // namespace unroll
