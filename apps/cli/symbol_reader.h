// Symbols in a stream of text that arrives piece by piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::cli {

/// What a piece of text gives.
struct ReadSymbols {
  std::vector<std::int64_t> symbols;  ///< those that are complete, up to what is wrong
  std::string error;                  ///< what is wrong after them; empty if nothing is
};

/// Reads integer classes, also written 1.0, with white space between them, wherever the text is
/// cut.
class SymbolReader {
 public:
  /// Classes are 0 .. num_classes - 1. `name` stands for the text in errors.
  SymbolReader(std::int64_t num_classes, std::string name);

  /// The symbols that are complete with the next piece of text; a number that it ends in may go on
  /// in the piece after it. Of what comes after an error nothing is read.
  [[nodiscard]] ReadSymbols read(std::string_view text);

  /// The number that the text ended in.
  [[nodiscard]] ReadSymbols finish();

 private:
  /// Takes the word that has just ended.
  void end_word(ReadSymbols& read);

  std::int64_t num_classes_;
  std::string name_;
  std::string word_;  // what has been read of it
  std::int64_t line_ = 1;
};

}  // namespace unroll::cli
