#include <unroll/report/comparison_text.h>

#include <fmt/format.h>

namespace unroll {
namespace {

std::string describe_tolerance(const Tolerance& tolerance) {
  return tolerance.windows == Tolerance::kEveryWindow
             ? fmt::format("{:g}", tolerance.largest)
             : fmt::format("{:g} over the first {} windows", tolerance.largest, tolerance.windows);
}

std::string describe_verdict(const ComparisonSummary& summary) {
  const std::string tolerance = describe_tolerance(summary.tolerance);
  if (summary.agree()) {
    return fmt::format("the variants agree within {}\n", tolerance);
  }
  if (!summary.comparison.parting) {
    return fmt::format("the variants' losses agree within {}, their final weights do not\n",
                       tolerance);
  }
  const Parting& parting = *summary.comparison.parting;
  return fmt::format(
      "{} parts at window {} of epoch {}: loss {:.9g} where the first variant has {:.9g}, "
      "tolerance {}\n"
      "{} leads: its weights differ by up to {:.3g}\n",
      parting.variant, parting.window, parting.epoch, parting.loss, parting.first_loss, tolerance,
      parting.tensor, parting.weight_difference);
}

}  // namespace

std::string describe_default_tolerance() {
  return fmt::format(
      "float32 {}, float64 {}: correct models were measured to stay below a tenth of that while "
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
    text +=
        fmt::format("{:<24}{:>10.6f}{:>14.2e}{:>16.2e}{:>11.2f}{:>9.2f}x\n", variant.name,
                    variant.final_loss, variant.max_loss_difference, variant.max_weight_difference,
                    variant.microseconds_per_window, variant.speed_up);
  }
  return text + "\n" + describe_verdict(summary);
}

}  // namespace unroll
