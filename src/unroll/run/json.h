// How this room writes JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace unroll {

using Json = nlohmann::ordered_json;

/// The text of a JSON file: indented, with a final newline. Bytes that are no UTF-8, as a path may
/// have, become U+FFFD.
inline std::string to_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace unroll
