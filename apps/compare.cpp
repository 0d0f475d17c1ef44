// unroll-compare: trains variants from the same weights on the same data, and says whether they are
// the same model and what each costs.

#include <fmt/format.h>

#include <string>
#include <vector>

#include <unroll/report/comparison_picture.h>
#include <unroll/report/comparison_text.h>
#include <unroll/run/comparison_run.h>

#include "cli/app.h"
#include "cli/flags.h"
#include "cli/progress_printer.h"
#include "cli/rank_environment.h"
#include "cli/training_flags.h"
#include "cli/variants.h"

namespace {

constexpr const char* kProgram = "unroll-compare";

/// Draws the variants' losses into the folder that the comparison made.
void draw_losses(const unroll::ComparisonSummary& summary, const std::string& folder, bool quiet) {
  std::vector<std::string> names;
  names.reserve(summary.comparison.variants.size());
  for (const unroll::VariantResult& variant : summary.comparison.variants) {
    names.push_back(variant.name);
  }
  const std::string problem =
      unroll::write_comparison_picture(folder, names, summary.comparison.windows / summary.epochs);
  if (!quiet && !problem.empty()) {
    unroll::cli::print_note(fmt::format("note: no losses.svg: {}\n", problem));
  }
}

/// Done if the variants agree; with --self-check, if the fault was caught.
int compare(int argc, char** argv) {
  using namespace unroll;
  ComparisonOptions options;
  std::string variants = "manual/autograd,builtin/autograd";
  bool json = false;
  bool quiet = false;
  cli::Flags flags(kProgram,
                   "Trains variants from the same weights on the same data: are they the same, and "
                   "what does each cost?");
  flags.group("Comparison");
  flags.text("variants", variants, "MODEL/ENGINE,...",
             "what to train; the first is what the others are measured against");
  flags.number("tolerance", options.tolerance,
               "largest difference of any window's loss, in nats, and of any final weight that "
               "still is agreement; 0 "
               "takes the dtype's, " +
                   describe_default_tolerance());
  flags.toggle("self-check", options.self_check,
               "compare the first variant with a faulty one; done if the fault is caught");
  cli::add_training_flags(flags, options.run);
  flags.group("Output");
  flags.integer("log-every", options.run.trainer.log_every,
                "windows between two rows of metrics.csv");
  flags.output("out", options.run.out, cli::folder(),
               "folder for comparison.json, losses.svg, and each variant's metrics.csv and "
               "config.json (default: none)");
  cli::add_report_flags(flags, json, quiet, "the comparison");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  cli::check_training_flags(flags);
  cli::check_trains_alone();
  options.variants = cli::parse_variants("variants", variants);
  cli::ComparisonPrinter progress(quiet);
  const ComparisonSummary summary = run_comparison(
      options,
      [&](const std::string& variant, const LogRow& row) { progress.on_row(variant, row); });
  if (!summary.class_gaps.empty()) {
    cli::print_note(fmt::format("warning: {}: {}\n", options.run.data, summary.class_gaps));
  }
  if (!options.run.out.empty()) {
    draw_losses(summary, options.run.out, quiet);
  }
  cli::print_result(json ? summary.to_json() : describe_comparison(summary));
  return summary.agree() != options.self_check ? cli::kDone : cli::kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  return unroll::cli::run_app(kProgram, [&] { return compare(argc, argv); });
}
