#include "cli/variants.h"

#include <fmt/format.h>

#include <sstream>

#include "cli/flags.h"

namespace unroll::cli {

std::vector<VariantChoice> parse_variants(const std::string& flag, const std::string& text) {
  std::vector<VariantChoice> variants;
  std::istringstream list(text);
  std::string item;
  while (std::getline(list, item, ',')) {
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
