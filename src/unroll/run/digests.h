// SHA256SUMS: the digests of a finished run's files, as sha256sum -c checks them.
#pragma once

#include <map>
#include <string>

namespace unroll {

/// Writes RUN/SHA256SUMS for config.json, metrics.csv, summary.json and weights.safetensors.
/// @throws FileError
void write_digests(const std::string& run_directory);

/// Reads RUN/SHA256SUMS: each file's digest in hexadecimal digits.
/// @throws FileError
std::map<std::string, std::string> read_digests(const std::string& run_directory);

}  // namespace unroll
