// Which classes occur in a series.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <unroll/data/series.h>

namespace unroll {

/// The classes that occur in the rows of a series, as inputs or as targets.
class ClassSet {
 public:
  ClassSet() = default;
  explicit ClassSet(const Series& rows) { add(rows); }

  /// Adds the rows of a series in memory; its num_classes may have grown since the last ones.
  void add(const Series& rows);

  /// Says which classes occur and how many a network gets, if it gets others too: "only the classes
  /// 10, 20, 30 occur, but the network gets 31, from 0 to 30". Empty if all occur.
  [[nodiscard]] std::string describe_gaps() const;

 private:
  std::vector<bool> occurs_;  // by class
};

}  // namespace unroll
