#include "cli/app.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include <unroll/base/error.h>
#include <unroll/version.h>

namespace unroll::cli {
namespace {

/// The flag of an option: "batch_size" is --batch-size.
std::string flag_of(std::string option) {
  std::replace(option.begin(), option.end(), '_', '-');
  return "--" + option;
}

int report(const std::string& program, std::string message, ExitCode code) {
  std::replace_if(
      message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  print_note(fmt::format("{}: {}\n", program, message));
  return code;
}

/// What LibTorch says in a line, without the source file and the calls that it happened in. Where
/// it could not get memory, how much that was is all that helps.
std::string describe(const c10::Error& error) {
  constexpr std::string_view kAllocation = "ried to allocate ";  // on the CPU and on a GPU
  std::string message = error.what_without_backtrace();
  if (const std::size_t found = message.find(kAllocation); found != std::string::npos) {
    message.erase(0, found + kAllocation.size());
    return "out of memory: could not allocate " + message.substr(0, message.find(". "));
  }
  const std::size_t begin = std::min(message.find_first_not_of('\n'), message.size());
  return message.substr(begin, message.find('\n', begin) - begin);
}

/// Fills standard streams that are closed, so that no file of ours takes their place and gets what
/// was meant for them. Writing to these fails, as it should.
void occupy_closed_streams() {
  for (const int stream : {0, 1, 2}) {
    if (::fcntl(stream, F_GETFD) < 0) {
      [[maybe_unused]] const int opened = ::open("/dev/null", O_RDONLY);
    }
  }
}

}  // namespace

int run_app(const std::string& program, const std::function<int()>& body) {
  occupy_closed_streams();
  // A reader that is gone and a file that may grow no more are errors of the write, and told there.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return body();
  } catch (const UsageError& error) {
    return report(program, error.what(), kWrongCommand);
  } catch (const InvalidOption& error) {
    return report(program, flag_of(error.option()) + " " + error.problem(), kWrongCommand);
  } catch (const std::bad_alloc&) {
    return report(program, "out of memory: the run needs more than there is", kFailed);
  } catch (const c10::Error& error) {
    return report(program, describe(error), kFailed);
  } catch (const std::exception& error) {
    return report(program, error.what(), kFailed);
  }
}

void print_note(std::string_view text) {
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_result(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw FileError("standard output", std::string("cannot be written: ") + std::strerror(errno));
  }
}

bool parse_or_answer(Flags& flags, const std::string& program, int argc, const char* const* argv) {
  bool version = false;
  bool help = false;
  flags.group("Help");
  flags.toggle("version", version, "print the version");
  flags.toggle("help", help, "print this text");
  flags.parse(argc, argv);
  if (help) {
    print_result(flags.help());
  } else if (version) {
    print_result(fmt::format("{} {} (LibTorch {})\n", program, kVersion, TORCH_VERSION));
  } else {
    flags.check_required();
  }
  return !help && !version;
}

}  // namespace unroll::cli
