#include "cli/symbol_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>
#include <utility>

#include <unroll/base/quote.h>
#include <unroll/data/csv.h>

namespace unroll::cli {
namespace {

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

SymbolReader::SymbolReader(std::int64_t num_classes, std::string name)
    : num_classes_(num_classes), name_(std::move(name)) {}

ReadSymbols SymbolReader::read(std::string_view text) {
  constexpr std::size_t kLongestWord = 100;  // digits; what never ends is no number
  ReadSymbols read;
  for (const char c : text) {
    if (!is_space(c)) {
      word_ += c;
    }
    if (is_space(c) || word_.size() > kLongestWord) {
      end_word(read);
    }
    if (!read.error.empty()) {
      break;
    }
    line_ += c == '\n' ? 1 : 0;
  }
  return read;
}

ReadSymbols SymbolReader::finish() {
  ReadSymbols read;
  end_word(read);
  return read;
}

void SymbolReader::end_word(ReadSymbols& read) {
  if (word_.empty()) {
    return;
  }
  std::int64_t symbol = -1;
  const char* end = word_.data() + word_.size();
  const auto [stop, error] = std::from_chars(word_.data(), end, symbol);
  if (error != std::errc() || !ends_integer({stop, end}) || symbol < 0 || symbol >= num_classes_) {
    read.error = fmt::format("{}:{}: expected a class from 0 to {}, got {}", name_, line_,
                             num_classes_ - 1, in_quotes(word_));
    return;
  }
  read.symbols.push_back(symbol);
  word_.clear();
}

}  // namespace unroll::cli
