// RUN/checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <unroll/run/checkpoint.h>

namespace unroll {

/// A checkpoint as it lies in the folder.
struct FoundCheckpoint {
  std::string path;
  Checkpoint checkpoint;
};

/// A checkpoint that is not whole.
struct DamagedCheckpoint {
  std::string path;
  std::string problem;  ///< in a sentence that names it
};

/// What there is to go on from.
struct NewestCheckpoint {
  std::optional<FoundCheckpoint> found;  ///< the newest one that is whole
  std::vector<DamagedCheckpoint> damaged;
  bool best_is_ahead = false;  ///< best.safetensors is of a later window than `found`
};

/// A run's checkpoints, each of which appears whole or not at all:
///
///     window-000000020000.safetensors   one every checkpoint_every windows, the last three of
///     them;
///                                       the number is of windows trained, over all epochs
///     best.safetensors                  the one whose windows had the lowest mean loss
///     last.safetensors                  where the run stopped or ended, until it has gone on
class CheckpointFolder {
 public:
  static constexpr const char* kBest = "best.safetensors";
  static constexpr const char* kLast = "last.safetensors";

  /// Makes the folder if it is not there, and removes what a process left in it that died while it
  /// saved. The run directory must be locked.
  /// @throws FileError
  explicit CheckpointFolder(const std::string& run_directory);

  /// Saves one of the regular checkpoints, and removes what it replaces.
  /// @throws FileError; DivergenceError if something in it is not finite
  void save_regular(const Checkpoint& checkpoint, bool is_best);

  /// Saves where the run stands.
  /// @throws likewise
  void save_last(const Checkpoint& checkpoint);

  /// Removes the checkpoints that are bad, if a good one is left to go on from.
  /// @throws FileError
  void remove_if(const std::function<bool(const Checkpoint&)>& is_bad);

  /// Finds the newest checkpoint that is whole, and those that are not.
  /// @throws FileError if the folder, or a file in it, is there and cannot be read, or is of
  /// another version of Unroll: it may be good
  [[nodiscard]] static NewestCheckpoint newest(const std::string& run_directory);

  /// Every checkpoint's path, by name.
  /// @throws FileError
  [[nodiscard]] static std::vector<std::string> paths(const std::string& run_directory);

  /// Removes the checkpoints that are damaged, and what one of the regular ones has replaced, in
  /// case that the process died before it did so.
  /// @throws FileError
  void go_on_from(const NewestCheckpoint& newest);

 private:
  void save(const Checkpoint& checkpoint, const std::string& name);
  void remove_replaced();

  std::string path_;
};

}  // namespace unroll
