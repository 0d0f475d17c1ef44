// Command-line flags over cxxopts, which only this folder knows: typed values, and one line for
// what is wrong.
#pragma once

#include <fmt/format.h>

#include <cxxopts.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/base/named_enum.h>
#include <unroll/base/quote.h>

#include "cli/output_kind.h"

namespace unroll::cli {

/// The command line is wrong. The message is one line.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A program's flags, each tied to a variable whose value when the flag is added is the default
/// that --help shows.
class Flags {
 public:
  Flags(const std::string& program, const std::string& description);

  /// The flags added from here on stand under this heading in --help.
  void group(const std::string& heading) { groups_.push_back(heading); }

  void integer(const std::string& name, std::int64_t& value, const std::string& help);
  void number(const std::string& name, double& value, const std::string& help);
  /// Numbers of at least 1 with commas between them, each once.
  void integers(const std::string& name, std::vector<std::int64_t>& values,
                const std::string& help);
  /// Numbers with commas between them, each once.
  void numbers(const std::string& name, std::vector<double>& values, const std::string& help);
  /// `placeholder` is what the value is called in --help.
  void text(const std::string& name, std::string& value, const std::string& placeholder,
            const std::string& help);
  /// The name of a file or folder to write, which must suit its kind.
  void output(const std::string& name, std::string& value, const OutputKind& kind,
              const std::string& help);
  /// A value that stands on the command line without a flag and must be there.
  void positional(const std::string& name, std::string& value, const std::string& placeholder,
                  const std::string& help);
  void toggle(const std::string& name, bool& value, const std::string& help);

  /// A flag that other programs have and this one has not, for this reason: "--data <why>".
  void refuse(const std::string& name, const std::string& why);

  /// One of an enum's names.
  template <typename Enum>
  void choice(const std::string& name, Enum& value, const std::string& help) {
    const auto set = [name, &value](const std::string& text) {
      const std::optional<Enum> parsed = from_name<Enum>(text);
      if (!parsed) {
        throw UsageError(fmt::format("--{} must be one of {}, got {}", name, all_names<Enum>(),
                                     in_quotes(text)));
      }
      value = *parsed;
    };
    add(name, all_names<Enum>(), std::string(name_of(value)), help, set);
  }

  /// Sets every variable whose flag is given.
  /// @throws UsageError
  void parse(int argc, const char* const* argv);

  /// This flag must be on the command line.
  void require(const std::string& name) { required_.emplace_back(name, "--" + name); }

  /// @throws UsageError if one of them was not
  void check_required() const;

  /// This flag must be the only one on the command line, but for those of `others`.
  /// @throws UsageError
  void check_alone(const std::string& name, const std::set<std::string>& others = {}) const;

  /// Whether a flag was on the command line.
  [[nodiscard]] bool given(const std::string& name) const { return given_.count(name) > 0; }

  /// The text of --help.
  [[nodiscard]] std::string help() const { return options_.help(groups_); }

 private:
  using Setter = std::function<void(const std::string&)>;

  void add(const std::string& name, const std::string& placeholder, const std::string& default_text,
           const std::string& help, Setter set);

  /// A text that errors call by `title`.
  void add_text(const std::string& name, std::string& value, const std::string& placeholder,
                const std::string& help, const std::string& title);

  /// Notes that a flag is given, with this value.
  /// @throws UsageError if it was given before
  void take_once(const std::string& name, const std::string& text);

  /// cxxopts would read the yes of --json=yes, and name no flag where it cannot.
  void refuse_toggle_values(int argc, const char* const* argv) const;

  cxxopts::Options options_;
  std::vector<std::string> groups_;
  std::map<std::string, Setter> setters_;
  std::map<std::string, bool*> toggles_;
  std::map<std::string, std::string> given_;                   // with their values
  std::vector<std::pair<std::string, std::string>> required_;  // with what errors call it
};

}  // namespace unroll::cli
