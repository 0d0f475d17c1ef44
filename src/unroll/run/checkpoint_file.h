// What tells a checkpoint from another safetensors file, and a whole one from a damaged one,
// without LibTorch.
#pragma once

#include <string>
#include <string_view>

#include <unroll/run/safetensors.h>

namespace unroll {

/// The metadata that marks a checkpoint.
inline constexpr const char* kCheckpointKey = "unroll.checkpoint";
inline constexpr const char* kCheckpointVersion = "1";

/// The last tensor of a checkpoint, U8 [32]: the SHA-256 of all bytes before it, which are the
/// file's all but last 32.
inline constexpr const char* kDigestTensor = "sha256";

bool is_checkpoint(const SafeTensorsFile& file);

/// @throws FileError if the file's last 32 bytes are not the SHA-256 of those before
void check_digest(std::string_view bytes, const std::string& name);

}  // namespace unroll
