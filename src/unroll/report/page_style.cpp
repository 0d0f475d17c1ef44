#include <unroll/report/page_style.h>

#include <fmt/format.h>

#include <unroll/report/theme.h>

namespace unroll {
namespace {

/// The theme's colours as custom properties, each in one of its forms.
std::string colours(const char* Tone::*form) {
  return fmt::format(
      "  --paper: {}; --ink: {}; --muted: {};\n  --faint: {}; --bar: {}; --fault: {};\n",
      kPaper.*form, kInk.*form, kMuted.*form, kFaint.*form, kMean.*form, kFault.*form);
}

constexpr const char* kRules = R"(
body {
  margin: 0 auto; padding: 1rem; max-width: 44rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; }
h1, p, td:not(.number) { overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; height: auto; }
caption, figcaption { color: var(--muted); text-align: left; font-size: 0.9rem; padding: 0.3rem 0; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.6rem 0.3rem 0; text-align: left; vertical-align: top; }
th { font-weight: normal; }
thead th { font-weight: 600; }
tr { border-bottom: 1px solid var(--faint); }
.number { text-align: right; }
.whole { white-space: nowrap; }
.wide { overflow-x: auto; }
@media (min-width: 36rem) { .number { white-space: nowrap; } }
.bar { display: block; height: 0.4rem; margin-top: 0.2rem; background: var(--bar); }
.fault { border: 3px solid var(--fault); padding: 0.8rem; color: var(--fault); font-weight: 600; }
)";

}  // namespace

std::string page_style() {
  return fmt::format(
      ":root {{\n  color-scheme: light dark;\n{}}}\n"
      "@media (prefers-color-scheme: dark) {{ :root {{\n{}}} }}{}",
      colours(&Tone::light), colours(&Tone::dark), kRules);
}

}  // namespace unroll
