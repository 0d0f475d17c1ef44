#include <unroll/report/markup.h>

#include <unroll/run/json.h>

namespace unroll {
namespace {

/// What stands for a byte in markup.
std::string escaped_byte(char byte) {
  switch (byte) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      const bool is_control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
      return is_control && byte != '\n' && byte != '\t' ? "\uFFFD" : std::string(1, byte);
  }
}

/// The text with what is no UTF-8 replaced, as the JSON library does it.
std::string as_utf8(std::string_view text) {
  return Json::parse(to_text(Json(text))).get<std::string>();
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string markup;
  for (const char byte : as_utf8(text)) {
    markup += escaped_byte(byte);
  }
  return markup;
}

}  // namespace unroll
