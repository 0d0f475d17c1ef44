// What a page says to who reads it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <regex>
#include <string>
#include <vector>

namespace unroll::testing {

/// How often a part is in a text.
inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// What the page says, without its markup and with single spaces.
inline std::string text_of(const std::string& page) {
  const std::string body = page.substr(page.find("<body>"));
  const std::string text = std::regex_replace(body, std::regex("<[^>]*>"), " ");
  return std::regex_replace(text, std::regex("\\s+"), " ");
}

inline void expect_says(const std::string& page, const std::vector<std::string>& parts) {
  const std::string text = text_of(page);
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }
}

}  // namespace unroll::testing
