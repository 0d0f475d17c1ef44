#include <unroll/report/page.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include <unroll/report/findings.h>
#include <unroll/report/html.h>
#include <unroll/report/markup.h>

namespace unroll {
namespace {

/// A number as text, with its standard error where there is one.
std::string with_error(const std::string& number, const Estimate& estimate) {
  return estimate.standard_error
             ? fmt::format("{} &plusmn;&nbsp;{:.4f}", number, *estimate.standard_error)
             : number;
}

// Sections.

/// The values of the lagged inputs, none of which is broken over two lines.
std::string inputs_cell(const Evaluation& evaluation, const Combination& combination) {
  std::string markup = describe_inputs(evaluation, combination);
  for (std::size_t comma = 0; (comma = markup.find(", ", comma)) != std::string::npos;) {
    constexpr std::string_view kBetween = "</span>, <span class=\"whole\">";
    markup.replace(comma, 2, kBetween);
    comma += kBetween.size();
  }
  return fmt::format("<span class=\"whole\">{}</span>", markup);
}

std::string combination_table(const Evaluation& evaluation) {
  const std::size_t count = std::min(evaluation.combinations.size(), kMostCombinations);
  std::vector<Cells> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Combination& combination = evaluation.combinations[i];
    rows.push_back({inputs_cell(evaluation, combination), describe_number(combination.probability),
                    describe_number(combination.truth), fmt::to_string(combination.count)});
  }
  std::string markup =
      table("The network&#39;s mean P(Y = 1) by the inputs that the process looks at",
            {{"inputs", false}, {"network"}, {"truth"}, {"symbols"}}, rows);
  if (count < evaluation.combinations.size()) {
    markup += paragraph(fmt::format("summary.json has the {} combinations that are left out here.",
                                    evaluation.combinations.size() - count));
  }
  return markup;
}

std::string lag_table(const Evaluation& evaluation) {
  std::vector<Cells> rows;
  rows.reserve(evaluation.lags.size());
  for (const LagKnowledge& lag : evaluation.lags) {
    rows.push_back({fmt::to_string(lag.lag),
                    with_error(describe_signed(lag.effect.value), lag.effect),
                    describe_signed(lag.true_effect), escaped(describe_verdict(lag))});
  }
  return table(
      "What an input of 1 instead of 0 so many steps back adds to the network&#39;s mean P(Y = 1), "
      "with its standard error",
      {{"lag", false}, {"effect"}, {"truth"}, {"learned", false}}, rows);
}

/// A number over a bar that is so large a share of the cell.
std::string bar_cell(const std::string& number, double share) {
  return fmt::format("{}<span class=\"bar\" style=\"width: {:.1f}%\"></span>", number,
                     100.0 * std::clamp(share, 0.0, 1.0));
}

std::string profile_table(const Evaluation& evaluation) {
  if (evaluation.profile.empty()) {
    return paragraph("The series is too short to tell which lags the network uses.");
  }
  const bool is_binary = evaluation.profile.front().effect.has_value();
  std::vector<Cells> rows;
  rows.reserve(evaluation.profile.size());
  for (const LagInfluence& influence : evaluation.profile) {
    const Estimate& shown = influence.effect ? *influence.effect : influence.change;
    const std::string number =
        influence.effect ? describe_signed(shown.value) : describe_number(shown.value);
    rows.push_back({fmt::to_string(influence.lag),
                    bar_cell(with_error(number, shown), influence.change.value)});
  }
  return table(is_binary ? "How far P(Y = 1) moves where the input so many steps back is 1 instead "
                           "of 0, with its standard error; a bar across the cell is 1"
                         : "The share of probability that moves where the input so many steps back "
                           "is another class, with its standard error; a bar across the cell is 1",
               {{"lag", false}, {is_binary ? "effect" : "moves"}}, rows);
}

std::string learned_section(const Summary& summary) {
  if (!summary.evaluation) {
    return section("What the network learned",
                   paragraph("The trained network was not evaluated: --eval-length was 0, or the "
                             "series too short."));
  }
  const Evaluation& evaluation = *summary.evaluation;
  return section("What the network learned",
                 summary.floors ? combination_table(evaluation) + lag_table(evaluation)
                                : profile_table(evaluation));
}

std::string picture_section(const Drawing& picture) {
  return section("Loss while training",
                 figure(picture,
                        "The mean loss of the log rows and their running mean. loss.gp "
                        "draws it from metrics.csv."));
}

/// How far the loss is from each floor; nothing where none is known.
std::string floor_section(const Summary& summary) {
  if (!summary.floors) {
    return "";
  }
  const bool is_held_out = summary.evaluation.has_value();
  const double loss = is_held_out ? summary.evaluation->loss.value : summary.last_epoch_loss;
  std::vector<Cells> rows;
  for (const auto& [name, floor] : named_floors(*summary.floors, summary.num_steps)) {
    rows.push_back({escaped(name), describe_number(floor), describe_distance(loss, floor)});
  }
  return section(
      "Loss floors",
      paragraph("A floor is the lowest loss that a model can reach that sees no more than this. A "
                "loss below it is proof that the network sees more.") +
          table(fmt::format("The floors, and how far from them the {} loss of {:.4f} nats is",
                            is_held_out ? "held-out" : "last epoch&#39;s", loss),
                {{"the model sees", false}, {"floor, nats"}, {"the loss is"}}, rows));
}

std::string loss_section(const Summary& summary) {
  std::vector<Cells> losses = {{"last log row", describe_number(summary.final_loss)},
                               {"last epoch", describe_number(summary.last_epoch_loss)}};
  if (summary.evaluation) {
    const Estimate& loss = summary.evaluation->loss;
    losses.push_back({escaped(describe_series(*summary.evaluation)),
                      with_error(describe_number(loss.value), loss)});
  }
  losses.push_back({escaped(kBaseline), describe_number(summary.baseline)});
  const std::vector<Cells> times = {
      {"the whole run", fmt::format("{:.3f} s", summary.seconds)},
      {"of which waiting for data", fmt::format("{:.3f} s", summary.data_seconds)},
      {"of which training", fmt::format("{:.3f} s", summary.train_seconds)},
      {"training a window", fmt::format("{:.2f} us", summary.microseconds_per_window())}};
  return section(
      "Losses and times",
      table(
          "Mean losses, with the standard error of what is a sample; the last row is the baseline, "
          "the entropy of the targets&#39; frequencies",
          {{"over", false}, {"nats"}}, losses) +
          table(fmt::format("Times of {} windows in {} epochs", summary.windows, summary.epochs),
                {{"what", false}, {"time"}}, times));
}

std::string fault_of(const Summary& summary) {
  return summary.evaluation && summary.evaluation->is_impossible
             ? fmt::format("<p class=\"fault\" role=\"alert\">FAULT: {}.</p>\n",
                           escaped(kImpossible))
             : "";
}

}  // namespace

std::string report_page(const Summary& summary, const std::string& config, const Drawing& picture) {
  const std::string name = escaped(folder_name(summary.run_directory));
  const std::string content = fmt::format(
                                  "<h1>Run {}</h1>\n<p>Model {}, {} engine on {}, {}, seed "
                                  "{}.</p>\n",
                                  name, escaped(summary.model), escaped(summary.engine),
                                  escaped(summary.device), escaped(summary.dtype), summary.seed) +
                              fault_of(summary) + learned_section(summary) +
                              picture_section(picture) + floor_section(summary) +
                              loss_section(summary) +
                              config_sections("Every option, as config.json has it", config);
  return document(fmt::format("Run {}: what the network learned", name), content);
}

}  // namespace unroll
