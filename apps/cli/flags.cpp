#include "cli/flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace unroll::cli {
namespace {

/// All of `text` as a number of this type; the flag's name and `kind` are for the error.
template <typename Number>
Number parse_number(const std::string& name, const std::string& text, std::string_view kind) {
  Number value{};
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) {
    throw UsageError(fmt::format("--{} must be {}, got {}", name, kind, in_quotes(text)));
  }
  return value;
}

/// All of `text` as numbers of this type with commas between them; none if it is no such list.
template <typename Number>
std::vector<Number> parse_list(const std::string& text) {
  std::vector<Number> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    Number value{};
    const auto [parsed, error] = std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc() || parsed != text.data() + end) {
      return {};
    }
    values.push_back(value);
    begin = end + 1;
  }
  return values;
}

/// @throws UsageError if the list is none, or has a value twice
template <typename Number>
void check_list(const std::string& name, const std::string& text, std::vector<Number> values,
                std::string_view kind) {
  std::sort(values.begin(), values.end());
  if (values.empty()) {
    throw UsageError(fmt::format("--{} must be a list of {}, got {}", name, kind, in_quotes(text)));
  }
  if (std::adjacent_find(values.begin(), values.end()) != values.end()) {
    throw UsageError(fmt::format("--{} must have each value once, got {}", name, in_quotes(text)));
  }
}

/// The argument that an unknown flag was in: cxxopts gives only the first letter of -word.
std::string as_typed(const std::string& unknown, int argc, const char* const* argv) {
  const auto* word = std::find_if(argv + 1, argv + argc, [&](const char* argument) {
    return std::string_view(argument).starts_with(unknown);
  });
  return unknown.starts_with('-') && word != argv + argc ? *word : unknown;
}

}  // namespace

Flags::Flags(const std::string& program, const std::string& description)
    : options_(program, description) {
  constexpr std::size_t kHelpWidth = 100;
  options_.custom_help("[flags]").set_width(kHelpWidth);
  options_.allow_unrecognised_options();  // parse() names them itself
}

void Flags::add(const std::string& name, const std::string& placeholder,
                const std::string& default_text, const std::string& help, Setter set) {
  const auto value = cxxopts::value<std::string>();
  if (!default_text.empty()) {
    value->default_value(default_text);
  }
  options_.add_options(groups_.back())(name, help, value, placeholder);
  setters_[name] = std::move(set);
}

void Flags::integer(const std::string& name, std::int64_t& value, const std::string& help) {
  add(name, "N", fmt::to_string(value), help, [name, &value](const std::string& text) {
    value = parse_number<std::int64_t>(name, text, "an integer of at most 63 bits");
  });
}

void Flags::number(const std::string& name, double& value, const std::string& help) {
  add(name, "X", fmt::to_string(value), help, [name, &value](const std::string& text) {
    value = parse_number<double>(name, text, "a number");
  });
}

void Flags::integers(const std::string& name, std::vector<std::int64_t>& values,
                     const std::string& help) {
  const std::string shown = fmt::format("{}", fmt::join(values, ","));
  add(name, "N,...", shown, help, [name, &values](const std::string& text) {
    values = parse_list<std::int64_t>(text);
    if (std::any_of(values.begin(), values.end(), [](std::int64_t value) { return value < 1; })) {
      values.clear();
    }
    check_list(name, text, values, "integers of at least 1");
  });
}

void Flags::numbers(const std::string& name, std::vector<double>& values, const std::string& help) {
  const std::string shown = fmt::format("{}", fmt::join(values, ","));
  add(name, "X,...", shown, help, [name, &values](const std::string& text) {
    values = parse_list<double>(text);
    check_list(name, text, values, "numbers");
  });
}

void Flags::refuse(const std::string& name, const std::string& why) {
  constexpr const char* kNotInHelp = "refused";
  options_.add_options(kNotInHelp)(name, "", cxxopts::value<std::string>());
  setters_[name] = [name, why](const std::string& /*text*/) {
    throw UsageError(fmt::format("--{} {}", name, why));
  };
}

void Flags::text(const std::string& name, std::string& value, const std::string& placeholder,
                 const std::string& help) {
  add_text(name, value, placeholder, help, "--" + name);
}

void Flags::add_text(const std::string& name, std::string& value, const std::string& placeholder,
                     const std::string& help, const std::string& title) {
  add(name, placeholder, value, help, [title, &value](const std::string& text) {
    if (text.empty()) {
      throw UsageError(title + " must not be empty");
    }
    value = text;
  });
}

void Flags::output(const std::string& name, std::string& value, const OutputKind& kind,
                   const std::string& help) {
  text(name, value, kind.placeholder, help);
  setters_[name] = [name, kind, set = std::move(setters_[name])](const std::string& path) {
    check_name(name, kind, path);
    set(path);
  };
}

void Flags::positional(const std::string& name, std::string& value, const std::string& placeholder,
                       const std::string& help) {
  add_text(name, value, placeholder, help, placeholder);
  options_.parse_positional({name});
  options_.custom_help(placeholder + " [flags]").positional_help("");
  required_.emplace_back(name, placeholder);
}

void Flags::toggle(const std::string& name, bool& value, const std::string& help) {
  options_.add_options(groups_.back())(name, help);
  toggles_[name] = &value;
}

void Flags::refuse_toggle_values(int argc, const char* const* argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::size_t equals = std::min(word.find('='), word.size());
    if (equals < word.size() && word.starts_with("--") &&
        toggles_.count(std::string(word.substr(2, equals - 2))) > 0) {
      throw UsageError(fmt::format("{} takes no value, got {}", word.substr(0, equals),
                                   in_quotes(word.substr(equals + 1))));
    }
  }
}

void Flags::take_once(const std::string& name, const std::string& text) {
  const auto [first, is_first] = given_.emplace(name, text);
  if (is_first) {
    return;
  }
  const bool has_values = toggles_.count(name) == 0;
  throw UsageError(fmt::format(
      "--{} is given twice{}", name,
      has_values ? fmt::format(", with {} and {}", in_quotes(first->second), in_quotes(text))
                 : ""));
}

void Flags::parse(int argc, const char* const* argv) {
  refuse_toggle_values(argc, argv);
  try {
    const cxxopts::ParseResult result = options_.parse(argc, argv);
    if (!result.unmatched().empty()) {
      const std::string unknown = as_typed(result.unmatched().front(), argc, argv);
      throw UsageError(fmt::format(
          "{} {}; --help lists the flags",
          unknown.starts_with('-') ? "unknown flag" : "unexpected argument", in_quotes(unknown)));
    }
    for (const cxxopts::KeyValue& argument : result.arguments()) {
      take_once(argument.key(), argument.value());
      if (const auto toggle = toggles_.find(argument.key()); toggle != toggles_.end()) {
        *toggle->second = true;
      } else {
        setters_.at(argument.key())(argument.value());
      }
    }
  } catch (const cxxopts::exceptions::missing_argument&) {
    // cxxopts takes whatever follows a flag for its value: only the last word can lack one.
    throw UsageError(fmt::format("{} needs a value", argv[argc - 1]));
  } catch (const cxxopts::exceptions::exception& error) {
    throw UsageError(fmt::format("{}; --help lists the flags", error.what()));
  }
}

void Flags::check_alone(const std::string& name, const std::set<std::string>& others) const {
  for (const auto& [other, text] : given_) {
    if (other != name && others.count(other) == 0) {
      throw UsageError(fmt::format("--{} cannot be combined with --{}", other, name));
    }
  }
}

void Flags::check_required() const {
  for (const auto& [name, title] : required_) {
    if (!given(name)) {
      throw UsageError(title + " is missing; --help shows the usage");
    }
  }
}

}  // namespace unroll::cli
