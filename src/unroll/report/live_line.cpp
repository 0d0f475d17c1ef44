#include <unroll/report/live_line.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace unroll {
namespace {

constexpr std::size_t kGap = 2;  // columns between two parts
constexpr std::size_t kShortestBar = 8;

/// The parts in the order in which they are shown. An empty one is not.
struct Parts {
  std::string bar;
  std::string done;
  std::string epoch;
  std::string speed;
  std::string left;
  std::string loss;
  std::string distance;
};

/// 0:07, 12:34 or 1:02:03.
std::string describe_time(double seconds) {
  constexpr double kMost = 1e9;
  const auto whole = static_cast<std::int64_t>(std::lround(std::min(seconds, kMost)));
  const std::int64_t minutes = whole / 60;
  return minutes < 60 ? fmt::format("{}:{:02}", minutes, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, whole % 60);
}

/// 4000 windows/s, or where there is less room 4000/s and 621k/s.
std::string describe_speed(double speed, bool is_short) {
  constexpr double kThousands = 1e4;
  if (!is_short) {
    return fmt::format("{:.0f} windows/s", speed);
  }
  return speed < kThousands ? fmt::format("{:.0f}/s", speed)
                            : fmt::format("{:.0f}k/s", speed / 1e3);
}

Parts texts_of(const LiveStatus& status, bool is_short) {
  Parts parts;
  parts.done = fmt::format("{:>3}%", 100 * status.windows / status.total_windows);
  parts.epoch = fmt::format("epoch {}/{}", status.epoch, status.epochs);
  if (status.windows_here > 0 && status.seconds_here > 0.0) {
    const double speed = static_cast<double>(status.windows_here) / status.seconds_here;
    const auto windows_left = static_cast<double>(status.total_windows - status.windows);
    parts.speed = describe_speed(speed, is_short);
    parts.left = fmt::format("{} left", describe_time(windows_left / speed));
  }
  parts.loss = fmt::format("{}loss {:.4f}", is_short ? "" : "mean ", status.mean_loss);
  if (status.floor) {
    parts.distance = fmt::format("floor {:+.4f}", status.mean_loss - *status.floor);
  }
  return parts;
}

/// What all parts take side by side, the bar the least it can.
std::size_t width_of(const Parts& parts) {
  std::size_t width = kShortestBar;
  for (const std::string* part :
       {&parts.done, &parts.epoch, &parts.speed, &parts.left, &parts.loss, &parts.distance}) {
    width += part->empty() ? 0 : kGap + part->size();
  }
  return width;
}

std::string draw_bar(const LiveStatus& status, std::size_t columns, bool colour) {
  const std::size_t inside = columns - 2;
  const double share =
      static_cast<double>(status.windows) / static_cast<double>(status.total_windows);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(inside));
  return fmt::format("[{}{}{}{}]", colour ? "\x1b[32m" : "", std::string(full, '#'),
                     colour ? "\x1b[0m" : "", std::string(inside - full, '-'));
}

}  // namespace

std::string describe_live(const LiveStatus& status, const LiveStyle& style) {
  constexpr std::size_t kLongestBar = 32;
  constexpr std::size_t kOnlyDone = 20;  // columns, below which the rest would say too little
  Parts parts = texts_of(status, /*is_short=*/false);
  if (width_of(parts) > style.width) {
    parts = texts_of(status, /*is_short=*/true);
  }
  if (parts.done.size() > style.width) {
    return "";
  }

  // What matters most takes its place first.
  std::size_t used = parts.done.size();
  const auto takes_place = [&](std::size_t columns) {
    const bool fits = style.width >= kOnlyDone && used + kGap + columns <= style.width;
    used += fits ? kGap + columns : 0;
    return fits;
  };
  const auto keep_if_it_fits = [&](std::string& part) {
    if (!part.empty() && !takes_place(part.size())) {
      part.clear();
    }
  };
  keep_if_it_fits(parts.loss);
  keep_if_it_fits(parts.left);
  keep_if_it_fits(parts.epoch);
  const bool has_bar = takes_place(kShortestBar);
  keep_if_it_fits(parts.distance);
  keep_if_it_fits(parts.speed);
  if (has_bar) {
    const std::size_t columns = std::min(kShortestBar + style.width - used, kLongestBar);
    parts.bar = draw_bar(status, columns, style.colour);
  }

  std::string line;
  for (const std::string* part : {&parts.bar, &parts.done, &parts.epoch, &parts.speed, &parts.left,
                                  &parts.loss, &parts.distance}) {
    if (!part->empty()) {
      line.append(line.empty() ? 0 : kGap, ' ').append(*part);
    }
  }
  return line;
}

}  // namespace unroll
