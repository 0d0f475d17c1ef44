// What options are refused with.
#pragma once

#include <string>

#include <unroll/base/error.h>

namespace unroll::testing {

/// The message with which `checked.validate()` throws InvalidOption, or "accepted".
template <typename Checked>
std::string validation_refusal(const Checked& checked) {
  try {
    checked.validate();
  } catch (const InvalidOption& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace unroll::testing
