#include <unroll/data/class_set.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace unroll {
namespace {

/// Classes that follow one another, such as "7" or "1 to 3".
std::string describe_span(std::size_t first, std::size_t last) {
  return first == last ? fmt::to_string(first) : fmt::format("{} to {}", first, last);
}

}  // namespace

void ClassSet::add(const Series& rows) {
  occurs_.resize(static_cast<std::size_t>(rows.num_classes));
  for (const auto* column : {&rows.inputs, &rows.targets}) {
    for (const std::int64_t symbol : *column) {
      occurs_[static_cast<std::size_t>(symbol)] = true;
    }
  }
}

std::string ClassSet::describe_gaps() const {
  constexpr std::size_t kMostSpans = 8;
  const auto count = std::count(occurs_.begin(), occurs_.end(), true);
  if (static_cast<std::size_t>(count) == occurs_.size()) {
    return "";
  }
  std::vector<std::string> spans;
  auto end = occurs_.begin();
  while (spans.size() <= kMostSpans) {
    const auto first = std::find(end, occurs_.end(), true);
    if (first == occurs_.end()) {
      break;
    }
    end = std::find(first, occurs_.end(), false);
    spans.push_back(describe_span(static_cast<std::size_t>(first - occurs_.begin()),
                                  static_cast<std::size_t>(end - occurs_.begin()) - 1));
  }
  if (spans.size() > kMostSpans) {
    spans.back() = fmt::format("... ({} in all)", count);
  }
  return fmt::format("only the class{} {} occur{}, but the network gets {}, from 0 to {}",
                     count == 1 ? "" : "es", fmt::join(spans, ", "), count == 1 ? "s" : "",
                     occurs_.size(), occurs_.size() - 1);
}

}  // namespace unroll
