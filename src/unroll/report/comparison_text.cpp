#include <unroll/report/comparison_text.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace unroll {
namespace {

std::string describe_tolerance(const Tolerance& tolerance) {
  return tolerance.windows == Tolerance::kEveryWindow
             ? fmt::format("{:g}", tolerance.largest)
             : fmt::format("{:g} over the first {} windows", tolerance.largest, tolerance.windows);
}

/// The variant whose final weights are farthest from the first one's.
const VariantResult& farthest(const Comparison& comparison) {
  return *std::max_element(comparison.variants.begin(), comparison.variants.end(),
                           [](const VariantResult& left, const VariantResult& right) {
                             return left.max_weight_difference < right.max_weight_difference;
                           });
}

std::string describe_lead(const std::string& tensor, double weight_difference) {
  return fmt::format("{} leads: its weights differ by up to {:.3g}\n", tensor, weight_difference);
}

std::string describe_verdict(const ComparisonSummary& summary) {
  const double tolerance = summary.tolerance.largest;
  const std::string judged =
      fmt::format("{} of {} windows judged", summary.windows_judged(), summary.comparison.windows);
  if (summary.agree()) {
    return fmt::format("the variants agree within {:g}; {}\n", tolerance, judged);
  }
  if (!summary.comparison.parting) {
    const VariantResult& variant = farthest(summary.comparison);
    return fmt::format("the losses agree within {:g}; {}; the final weights of {} do not\n",
                       tolerance, judged, variant.name) +
           describe_lead(variant.leading_tensor, variant.max_weight_difference);
  }
  const Parting& parting = *summary.comparison.parting;
  return fmt::format(
             "{} parts at window {} of epoch {}: loss {:.9g} where the first variant has {:.9g}, "
             "tolerance {:g}; {}\n",
             parting.variant, parting.window, parting.epoch, parting.loss, parting.first_loss,
             tolerance, judged) +
         describe_lead(parting.tensor, parting.weight_difference);
}

/// A measured number, or a dash where nothing was measured.
std::string number_cell(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.2f}{}", *value, unit) : "-";
}

}  // namespace

std::string describe_default_tolerance() {
  return fmt::format(
      "float32 {}, float64 {}: correct models were measured to stay below half of that while "
      "rounding errors grow. Later windows are not judged by default: training is chaotic, and "
      "correct models may part and meet again",
      describe_tolerance(default_tolerance(Precision::kFloat32)),
      describe_tolerance(default_tolerance(Precision::kFloat64)));
}

std::string describe_comparison(const ComparisonSummary& summary) {
  std::string text = fmt::format("{} windows each, {}, {:.1f} s\n\n", summary.comparison.windows,
                                 summary.dtype, summary.seconds);
  text += fmt::format("{:<24}{:>10}{:>14}{:>16}{:>11}{:>10}\n", "variant", "final loss",
                      "max |d loss|", "max |d weight|", "us/window", "speed-up");
  for (const VariantResult& variant : summary.comparison.variants) {
    text += fmt::format(
        "{:<24}{:>10.6f}{:>14.2e}{:>16.2e}{:>11}{:>10}\n", variant.name, variant.final_loss,
        variant.max_loss_difference, variant.max_weight_difference,
        number_cell(variant.microseconds_per_window, ""), number_cell(variant.speed_up, "x"));
  }
  return text + "\n" + describe_verdict(summary);
}

}  // namespace unroll
