// The environment that torchrun, a Kubernetes PyTorchJob or a line of shell gives every process of
// a training: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.
#pragma once

#include <optional>
#include <string>

#include <unroll/distributed/options.h>

namespace unroll::cli {

/// What the environment says; none if this process trains alone, without WORLD_SIZE or with 1.
/// @throws UsageError naming the variable, its value and what is allowed
std::optional<RankOptions> read_rank_environment();

/// For a program that trains in one process and would do the same work in each of several.
/// @throws UsageError if the environment says that this process is one of several
void check_trains_alone();

/// A program's name for its errors: with its rank, if it is one of several, since their lines
/// may end in one file.
std::string name_in_ranks(const std::string& program);

}  // namespace unroll::cli
