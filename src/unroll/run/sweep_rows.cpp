#include <unroll/run/sweep_rows.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <regex>
#include <system_error>
#include <tuple>

#include <unroll/base/error.h>
#include <unroll/base/file.h>
#include <unroll/run/metrics.h>

namespace unroll {
namespace {

constexpr std::string_view kPartMark = "# sweep ";
constexpr std::string_view kCellColumns = "num_steps,hidden_size,learning_rate,seed";

/// The fields of a line, one by one; each is a number or a name, or the line is no row.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  std::string_view text() {
    const std::size_t end = std::min(rest_.find(','), rest_.size());
    const std::string_view field = rest_.substr(0, end);
    is_good_ = is_good_ && !is_over_;
    is_over_ = end == rest_.size();
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return field;
  }

  std::int64_t integer() { return number<std::int64_t>(text()); }

  double real() {
    const auto value = number<double>(text());
    is_good_ = is_good_ && std::isfinite(value);
    return value;
  }

  /// Nothing for an empty field.
  std::optional<double> optional_real() {
    const std::string_view field = text();
    if (field.empty()) {
      return std::nullopt;
    }
    const auto value = number<double>(field);
    is_good_ = is_good_ && std::isfinite(value);
    return value;
  }

  template <class Enum>
  Enum name() {
    const std::optional<Enum> value = from_name<Enum>(text());
    is_good_ = is_good_ && value;
    return value.value_or(Enum{});
  }

  bool yes_or_no() {
    const std::string_view field = text();
    is_good_ = is_good_ && (field == "yes" || field == "no");
    return field == "yes";
  }

  void expect(bool holds) { is_good_ = is_good_ && holds; }

  /// Whether each field had its form, and there are no more.
  [[nodiscard]] bool is_row() const { return is_good_ && is_over_; }

 private:
  template <class Number>
  Number number(std::string_view field) {
    Number value{};
    const char* last = field.data() + field.size();
    const auto [end, error] = std::from_chars(field.data(), last, value);
    is_good_ = is_good_ && error == std::errc() && end == last;
    return value;
  }

  std::string_view rest_;
  bool is_over_ = false;
  bool is_good_ = true;
};

Estimate read_estimate(Fields& fields, bool is_diverged) {
  const std::optional<double> value = fields.optional_real();
  const std::optional<double> error = fields.optional_real();
  fields.expect(value.has_value() != is_diverged);
  return {.value = value.value_or(0.0), .standard_error = error};
}

/// The row that a line is, if it is one.
std::optional<SweepRow> parse_row(std::string_view line, const LaggedProcess& process) {
  Fields fields(line);
  SweepRow row;
  row.cell.num_steps = fields.integer();
  row.cell.hidden_size = fields.integer();
  row.cell.learning_rate = fields.real();
  row.cell.seed = fields.integer();
  row.windows = fields.integer();
  row.is_diverged = fields.yes_or_no();
  const std::optional<double> loss = fields.optional_real();
  fields.expect(loss.has_value() != row.is_diverged);
  row.last_epoch_loss = loss.value_or(0.0);
  row.held_out_loss = read_estimate(fields, row.is_diverged);
  row.lags.reserve(process.effects().size());
  for (const auto& [lag, effect] : process.effects()) {
    const Estimate estimate = read_estimate(fields, row.is_diverged);
    row.lags.push_back({.lag = lag, .effect = estimate, .learned = fields.name<Learned>()});
  }
  row.train_seconds = fields.real();
  return fields.is_row() ? std::optional(row) : std::nullopt;
}

std::string format_estimate(const Estimate& estimate, bool is_diverged) {
  if (is_diverged) {
    return ",";
  }
  return format_loss(estimate.value) + "," +
         (estimate.standard_error ? format_loss(*estimate.standard_error) : "");
}

/// A row up to its time: what is the same whenever and wherever the cell is trained.
std::string format_result(const SweepRow& row) {
  std::string line = fmt::format("{},{},{},{},{},{},{},{}", row.cell.num_steps,
                                 row.cell.hidden_size, row.cell.learning_rate, row.cell.seed,
                                 row.windows, row.is_diverged ? "yes" : "no",
                                 row.is_diverged ? "" : format_loss(row.last_epoch_loss),
                                 format_estimate(row.held_out_loss, row.is_diverged));
  for (const SweepLag& lag : row.lags) {
    line +=
        fmt::format(",{},{}", format_estimate(lag.effect, row.is_diverged), name_of(lag.learned));
  }
  return line;
}

/// Something to look a cell up by.
auto key_of(const SweepCell& cell) {
  return std::tuple(cell.num_steps, cell.hidden_size, cell.learning_rate, cell.seed);
}

using Places = std::map<decltype(key_of(SweepCell())), std::size_t>;

/// Where each cell of a grid stands.
Places places_of(const SweepGrid& grid) {
  Places places;
  for (const SweepCell& cell : grid.cells()) {
    places.emplace(key_of(cell), places.size());
  }
  return places;
}

/// The line of a text that a place is in, from 1.
std::int64_t line_of(std::string_view text, std::size_t place) {
  return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(place), '\n');
}

/// @throws FileError naming the first line that is another one
void check_header(std::string_view text, const std::string& header, const std::string& path) {
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = header.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string_view line = std::string_view(header).substr(begin, end + 1 - begin);
    if (text.substr(std::min(begin, text.size()), line.size()) != line) {
      throw FileError(path, fmt::format("line {}: expected {}", line_of(header, begin),
                                        line.substr(0, line.size() - 1)));
    }
  }
}

/// Reads the rows under a header.
SweepPart parse_rows(std::string_view text, const std::string& path, const std::string& header,
                     const SweepGrid& grid, const LaggedProcess& process) {
  SweepPart part = {.path = path, .rows = {}};
  if (header.starts_with(text) && text.size() < header.size()) {
    return part;  // killed before the first row
  }
  check_header(text, header, path);
  const Places places = places_of(grid);
  std::map<std::size_t, std::int64_t> lines;  // of each cell's place
  std::int64_t line = line_of(text, header.size());
  std::size_t begin = header.size();
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string_view::npos;
       begin = end + 1, ++line) {
    const std::optional<SweepRow> row = parse_row(text.substr(begin, end - begin), process);
    if (!row) {
      throw FileError(path, fmt::format("line {}: expected a row of {},..", line, kCellColumns));
    }
    const auto place = places.find(key_of(row->cell));
    if (place == places.end()) {
      throw FileError(
          path, fmt::format("line {}: {} is no cell of the sweep", line, describe_cell(row->cell)));
    }
    if (const auto [first, is_new] = lines.emplace(place->second, line); !is_new) {
      throw FileError(path,
                      fmt::format("line {}: has the cell of line {} again", line, first->second));
    }
    part.rows.push_back(*row);
  }
  part.bytes = static_cast<std::int64_t>(begin);
  return part;
}

/// The files of rows in a sweep's folder, by name, with whose they are; none for a sweep.csv.
std::map<std::string, std::optional<Shard>> part_files(const std::string& directory) {
  static const std::regex form(R"(cells-(\d{1,9})-of-(\d{1,9})\.csv|sweep\.csv)");
  std::map<std::string, std::optional<Shard>> files;
  std::error_code error;
  for (const std::string& name : list_folder(directory, error)) {
    if (std::smatch match; std::regex_match(name, match, form)) {
      files[name] =
          match[1].matched
              ? std::optional(Shard{.index = std::stoll(match[1]), .count = std::stoll(match[2])})
              : std::nullopt;
    }
  }
  if (error) {
    throw FileError(directory, "cannot be read as a sweep's folder: " + error.message());
  }
  return files;
}

}  // namespace

std::string sweep_header(const LaggedProcess& process) {
  std::string header =
      fmt::format("{},windows,diverged,last_epoch_loss,held_out_loss,held_out_error", kCellColumns);
  for (const auto& [lag, effect] : process.effects()) {
    header += fmt::format(",lag{0}_effect,lag{0}_error,lag{0}_learned", lag);
  }
  return header + ",train_seconds\n";
}

std::string format_sweep_row(const SweepRow& row) {
  return fmt::format("{},{:.6f}\n", format_result(row), row.train_seconds);
}

std::string format_sweep(const std::vector<SweepRow>& rows, const LaggedProcess& process) {
  std::string text = sweep_header(process);
  for (const SweepRow& row : rows) {
    text += format_sweep_row(row);
  }
  return text;
}

std::string sweep_part_header(const SweepConfig& config, const LaggedProcess& process) {
  return fmt::format("{}{}\n{}", kPartMark, sweep_digest(config), sweep_header(process));
}

SweepPart parse_sweep_part(std::string_view text, const std::string& path,
                           const SweepConfig& config, const LaggedProcess& process) {
  const std::string header = sweep_part_header(config, process);
  const std::size_t line = header.find('\n') + 1;
  if (text.starts_with(kPartMark) && text.size() >= line &&
      !header.starts_with(text.substr(0, line))) {
    throw FileError(path, "is a part of another sweep than the folder's sweep.json describes");
  }
  return parse_rows(text, path, header, config.grid, process);
}

SweepPart parse_sweep(std::string_view text, const std::string& path, const SweepGrid& grid,
                      const LaggedProcess& process) {
  return parse_rows(text, path, sweep_header(process), grid, process);
}

std::string sweep_part_name(const Shard& shard) {
  return fmt::format("cells-{}-of-{}.csv", shard.index, shard.count);
}

std::string sweep_csv_path(const std::string& directory) { return directory + "/sweep.csv"; }

std::vector<SweepPart> read_sweep_parts(const std::string& directory, const SweepConfig& config,
                                        const LaggedProcess& process) {
  const std::map<std::string, std::optional<Shard>> files = part_files(directory);
  std::vector<SweepPart> parts;
  parts.reserve(files.size());
  for (const auto& [name, shard] : files) {
    const std::string path = fmt::format("{}/{}", directory, name);
    const std::string text = read_file(path);
    parts.push_back(shard ? parse_sweep_part(text, path, config, process)
                          : parse_sweep(text, path, config.grid, process));
    parts.back().shard = shard.value_or(Shard());
  }
  return parts;
}

std::vector<std::optional<SweepRow>> join_sweep_parts(const std::vector<SweepPart>& parts,
                                                      const SweepGrid& grid) {
  const Places places = places_of(grid);
  std::vector<std::optional<SweepRow>> rows(places.size());
  std::vector<const SweepPart*> owners(places.size());
  for (const SweepPart& part : parts) {
    for (const SweepRow& row : part.rows) {
      const std::size_t place = places.at(key_of(row.cell));
      if (!rows[place]) {
        rows[place] = row;
        owners[place] = &part;
      } else if (format_result(*rows[place]) != format_result(row)) {
        throw FileError(part.path, fmt::format("has another result of {} than {}",
                                               describe_cell(row.cell), owners[place]->path));
      }
    }
  }
  return rows;
}

}  // namespace unroll
