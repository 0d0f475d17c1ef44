// SHA256SUMS: the digests of a finished run's files, as sha256sum -c checks them.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

namespace unroll {

/// What a finished run has if it was reported on.
inline constexpr std::array kReportFiles = {"loss.gp", "loss.svg", "report.html"};

/// Writes RUN/SHA256SUMS for config.json, metrics.csv, weights.safetensors, those of kReportFiles
/// that are there, and a summary.json of this text, which is not there yet: whoever finds it finds
/// its digest too.
/// @throws FileError
void write_digests(const std::string& run_directory, std::string_view summary);

/// Reads RUN/SHA256SUMS: each file's digest in hexadecimal digits.
/// @throws FileError
std::map<std::string, std::string> read_digests(const std::string& run_directory);

}  // namespace unroll
