// unroll-export: turns a trained network into a TorchScript module that other programs load.

#include <fmt/format.h>

#include <string>

#include <unroll/export/export_run.h>

#include "cli/app.h"
#include "cli/flags.h"

namespace {

constexpr const char* kProgram = "unroll-export";

int export_model(int argc, char** argv) {
  using namespace unroll;
  ExportOptions options;
  cli::Flags flags(kProgram, "Exports a trained network as a TorchScript module.");
  flags.group("Export");
  flags.positional("source", options.source, "RUN_DIR|FILE.safetensors",
                   "a finished run, a checkpoint, or a weights file");
  flags.output("output", options.output, cli::torchscript_file(),
               "the TorchScript file to write; required");
  flags.output("weights", options.weights, cli::weights_file(),
               "write the weights too, for Python");
  flags.toggle("force", options.force, "replace files that exist");
  flags.require("output");
  if (!cli::parse_or_answer(flags, kProgram, argc, argv)) {
    return cli::kDone;
  }
  const ExportSummary summary = run_export(options);
  if (!summary.warning.empty()) {
    cli::print_note(fmt::format("warning: {}\n", summary.warning));
  }
  cli::print_result(
      fmt::format("{}: {} classes, {} hidden units, {}; loaded again, its logits differ from the "
                  "model's by {:.1e}\n",
                  options.output, summary.num_classes, summary.hidden_size, summary.dtype,
                  summary.largest_difference));
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  return unroll::cli::run_app(kProgram, [&] { return export_model(argc, argv); });
}
