// The kinds of files and folders that the programs write, and which names suit them: a name must
// not promise another format than it gets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll::cli {

/// What a program writes under a name that the user chooses.
struct OutputKind {
  const char* placeholder;  ///< of the name in --help
  const char* description;  ///< "a TorchScript file"
  /// The endings that its name may have, in lower case; empty for a folder.
  std::vector<std::string_view> endings;
};

OutputKind torchscript_file();
OutputKind weights_file();
OutputKind series_file();
OutputKind folder();

/// A file's name must have one of its kind's endings, or none; a folder's must not have the ending
/// of a file format. Case does not matter. What has no letter, as in net-0.5, is not an ending.
/// @throws UsageError "--<flag> must end in <endings> ..., got <path>"
void check_name(const std::string& flag, const OutputKind& kind, const std::string& path);

}  // namespace unroll::cli
