#include "cli/variants.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/flags.h"

namespace unroll::cli {

std::vector<VariantChoice> parse_variants(const std::string& flag, const std::string& text) {
  std::vector<VariantChoice> variants;
  std::size_t end = 0;
  for (std::size_t begin = 0; end < text.size(); begin = end + 1) {
    end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    const std::size_t slash = item.find('/');
    const auto model = from_name<ModelKind>(item.substr(0, slash));
    const auto engine = slash == std::string::npos
                            ? std::optional(EngineChoice::kAuto)
                            : from_name<EngineChoice>(item.substr(slash + 1));
    if (!model || !engine) {
      throw UsageError(fmt::format(
          "--{} must be a list of MODEL/ENGINE with MODEL one of {} and ENGINE one of {}, got {}",
          flag, all_names<ModelKind>(), all_names<EngineChoice>(), in_quotes(item)));
    }
    variants.push_back({.model = *model, .engine = *engine});
  }
  return variants;
}

}  // namespace unroll::cli
