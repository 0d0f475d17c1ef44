#include <unroll/report/sweep_report.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include <unroll/base/file.h>
#include <unroll/report/findings.h>
#include <unroll/report/html.h>
#include <unroll/report/markup.h>
#include <unroll/report/sweep_picture.h>
#include <unroll/report/sweep_text.h>

namespace unroll {
namespace {

/// A table num_steps x hidden_size of one learning rate, whose cells `describe` gives, behind what
/// `lead` gives for each num_steps. One that is wider than the page is scrolled by itself.
template <class Lead, class Describe>
std::string grid_table(const SweepSummary& summary, double learning_rate, std::string_view caption,
                       const Columns& lead_columns, const Lead& lead, const Describe& describe) {
  const SweepGrid& grid = summary.config.grid;
  Columns columns = {{"num_steps", false}};
  columns.reserve(1 + lead_columns.size() + grid.hidden_size.size());
  columns.insert(columns.end(), lead_columns.begin(), lead_columns.end());
  for (const std::int64_t hidden_size : grid.hidden_size) {
    columns.push_back({fmt::to_string(hidden_size)});
  }
  std::vector<Cells> rows;
  rows.reserve(grid.num_steps.size());
  for (const std::int64_t num_steps : grid.num_steps) {
    Cells cells = lead(num_steps);
    cells.insert(cells.begin(), fmt::to_string(num_steps));
    cells.reserve(columns.size());
    for (const std::int64_t hidden_size : grid.hidden_size) {
      cells.push_back(describe(summary.group(num_steps, hidden_size, learning_rate)));
    }
    rows.push_back(std::move(cells));
  }
  return fmt::format(
      "<div class=\"wide\" tabindex=\"0\">\n{}</div>\n",
      table(fmt::format("{}; num_steps down, hidden_size across", caption), columns, rows));
}

std::string loss_table(const SweepSummary& summary, double learning_rate) {
  return grid_table(
      summary, learning_rate,
      fmt::format("Mean held-out loss over {}, in nats, and the floor without a carried state",
                  counted(summary.config.grid.seeds, "seed")),
      {{"no-carry floor"}},
      [&](std::int64_t num_steps) {
        return Cells{fmt::format("{:.4f}", summary.process.no_carry_floor(num_steps))};
      },
      [](const SweepGroup& group) {
        return group.held_out_loss ? fmt::format("{:.4f}", *group.held_out_loss)
                                   : std::string("diverged");
      });
}

std::string lag_table(const SweepSummary& summary, double learning_rate, std::size_t lag) {
  return grid_table(
      summary, learning_rate,
      fmt::format("Of {}, how many have learned lag {}; in brackets, how many more in part",
                  counted(summary.config.grid.seeds, "seed"), summary.process.effects()[lag].lag),
      {}, [](std::int64_t /*num_steps*/) { return Cells(); },
      [lag](const SweepGroup& group) {
        const auto& [number, learned, partly] = group.lags[lag];
        return partly == 0 ? fmt::to_string(learned) : fmt::format("{} ({})", learned, partly);
      });
}

/// The tables of each learning rate.
std::string table_sections(const SweepSummary& summary) {
  std::string sections;
  for (const double learning_rate : summary.config.grid.learning_rate) {
    std::string tables = loss_table(summary, learning_rate);
    for (std::size_t lag = 0; lag < summary.process.effects().size(); ++lag) {
      tables += lag_table(summary, learning_rate, lag);
    }
    sections += section(fmt::format("Learning rate {}", learning_rate), tables);
  }
  return sections;
}

std::string picture_section(const SweepSummary& summary, const Drawing& picture) {
  const std::size_t rates = summary.config.grid.learning_rate.size();
  std::string caption =
      "A lag is learned where the loss is below the floor of every model that does not see it. "
      "sweep.gp draws this, sweep.csv has every cell.";
  if (rates > kMostDrawnRates) {
    caption += fmt::format(" Of {} learning rates {} are drawn; the tables have all.", rates,
                           kMostDrawnRates);
  }
  const std::string diverged = describe_diverged(summary);
  return section("Which lag is learned where",
                 figure(picture, caption) + (diverged.empty() ? "" : paragraph(diverged + ".")));
}

std::string floor_section(const LaggedProcess& process) {
  const std::vector<NamedFloor> floors = named_floors(process.floors(1));
  std::vector<Cells> rows;
  rows.reserve(floors.size());
  for (const auto& [name, loss] : floors) {
    rows.push_back({escaped(name), fmt::format("{:.4f}", loss)});
  }
  return section("Loss floors",
                 table("The lowest loss that a model can reach that sees no more than this",
                       {{"the model sees", false}, {"floor, nats"}}, rows));
}

}  // namespace

std::string sweep_page(const SweepSummary& summary, const std::string& config,
                       const Drawing& picture) {
  const std::string name = escaped(folder_name(summary.directory));
  const std::string content =
      fmt::format("<h1>Sweep {}</h1>\n<p>{}; P(Y[t] = 1) = {}.</p>\n", name,
                  counted(std::ssize(summary.rows), "cell"), escaped(summary.process.formula())) +
      picture_section(summary, picture) + table_sections(summary) + floor_section(summary.process) +
      config_sections("The grid and every option, as sweep.json has them", config);
  return document(fmt::format("Sweep {}: which lag is learned where", name), content);
}

std::string write_sweep_report(const SweepSummary& summary) {
  const std::string& folder = summary.directory;
  const Drawing picture =
      draw_picture(folder, "sweep", sweep_script(summary), describe_sweep_picture(summary));
  write_file(folder + "/sweep.html",
             sweep_page(summary, read_file(folder + "/sweep.json"), picture));
  return picture.problem;
}

}  // namespace unroll
