// The errors that Unroll's library throws. Each says in one line what was wrong, where, and what
// was expected; an application only has to print what() and choose an exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace unroll {

/// Base of every error that Unroll throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option's value is outside what is allowed. `option()` is the field's name ("batch_size"),
/// `problem()` the rest of the sentence ("must be at least 1, got 0"), so that a command line can
/// name its flag instead of the field.
class InvalidOption : public Error {
 public:
  InvalidOption(std::string option, std::string problem)
      : Error(option + " " + problem), option_(std::move(option)), problem_(std::move(problem)) {}

  [[nodiscard]] const std::string& option() const noexcept { return option_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  std::string option_;
  std::string problem_;
};

/// A file or folder could not be read or written, or does not hold what it should. The message
/// begins with its path.
class FileError : public Error {
 public:
  FileError(const std::string& path, const std::string& problem) : Error(path + ": " + problem) {}
};

/// The training loss exploded, or stopped being a finite number.
class DivergenceError : public Error {
 public:
  using Error::Error;
};

}  // namespace unroll
