// How the processes of a data parallel training find each other.
#pragma once

#include <cstdint>
#include <string>

namespace unroll {

struct RankOptions {
  static constexpr std::int64_t kMostPort = 65'535;

  /// This process's number, from 0.
  std::int64_t rank = 0;
  /// The number of processes.
  std::int64_t size = 1;
  /// Which process of those on this machine it is, from 0.
  std::int64_t local_rank = 0;
  /// The host of rank 0, by name or address, and a port that is free there, or the launcher's.
  std::string master_address;
  std::int64_t master_port = 0;
  /// The launcher, not rank 0, listens at the port; and its count of restarts.
  bool launcher_listens = false;
  std::string attempt = "0";
  /// The network interface that ranks talk over; empty for the one that reaches the master.
  std::string interface;
  /// Seconds that a rank waits for the others: to come, and in every all-reduce.
  std::int64_t timeout = 60;

  /// @throws InvalidOption if the time-out, `rank_timeout`, is not from 1 second to a day, `rank`
  /// is not below `size`, or there is no such port
  void validate() const;
};

}  // namespace unroll
