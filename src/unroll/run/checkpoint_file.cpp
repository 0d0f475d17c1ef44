#include <unroll/run/checkpoint_file.h>

#include <unroll/base/error.h>
#include <unroll/base/sha256.h>

namespace unroll {

bool is_checkpoint(const SafeTensorsFile& file) { return file.metadata.count(kCheckpointKey) > 0; }

void check_digest(std::string_view bytes, const std::string& name) {
  const std::size_t covered = bytes.size() - std::min(bytes.size(), Sha256::kBytes);
  Sha256 sha256;
  sha256.add(bytes.substr(0, covered));
  const Sha256::Digest digest = sha256.finish();
  if (bytes.substr(covered) != std::string_view(digest.data(), digest.size())) {
    throw FileError(name, "is damaged or no checkpoint: its SHA-256 does not match");
  }
}

}  // namespace unroll
