// Names for an enum's values, written once: flags, files and messages all take them from here.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace unroll {

/// An enum with names specialises this as a constexpr std::array<NamedValue<Enum>, N>, in the order
/// to list them in.
template <typename Enum>
inline constexpr auto kNames = nullptr;

template <typename Enum>
using NamedValue = std::pair<std::string_view, Enum>;

/// The value's name.
template <typename Enum>
constexpr std::string_view name_of(Enum value) {
  for (const auto& [name, candidate] : kNames<Enum>) {
    if (candidate == value) {
      return name;
    }
  }
  return {};
}

/// The value with this name, if there is one.
template <typename Enum>
constexpr std::optional<Enum> from_name(std::string_view text) {
  for (const auto& [name, candidate] : kNames<Enum>) {
    if (name == text) {
      return candidate;
    }
  }
  return std::nullopt;
}

/// Every name, "manual|builtin".
template <typename Enum>
std::string all_names() {
  std::string names;
  for (const auto& [name, value] : kNames<Enum>) {
    if (!names.empty()) {
      names += '|';
    }
    names += name;
  }
  return names;
}

}  // namespace unroll
