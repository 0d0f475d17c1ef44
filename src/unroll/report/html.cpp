#include <unroll/report/html.h>

#include <fmt/format.h>

#include <filesystem>

#include <unroll/report/markup.h>
#include <unroll/report/page_style.h>
#include <unroll/run/json.h>

namespace unroll {
namespace {

/// A table of a JSON object's members.
std::string json_table(std::string_view caption, const char* heading, const Json& object) {
  std::vector<Cells> rows;
  rows.reserve(object.size());
  for (const auto& [name, value] : object.items()) {
    rows.push_back(
        {escaped(name), escaped(value.is_string() ? value.get<std::string>() : value.dump())});
  }
  return table(caption, {{heading, false}, {"value", false}}, rows);
}

}  // namespace

std::string paragraph(std::string_view content) { return fmt::format("<p>{}</p>\n", content); }

std::string section(std::string_view heading, std::string_view content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", heading, content);
}

std::string table(std::string_view caption, const Columns& columns,
                  const std::vector<Cells>& rows) {
  const auto kind = [&columns](std::size_t i) {
    return columns[i].is_number ? " class=\"number\"" : "";
  };
  std::string markup = fmt::format("<table>\n<caption>{}</caption>\n<thead><tr>", caption);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    markup += fmt::format("<th scope=\"col\"{}>{}</th>", kind(i), columns[i].heading);
  }
  markup += "</tr></thead>\n<tbody>\n";
  for (const Cells& row : rows) {
    markup += fmt::format("<tr><th scope=\"row\">{}</th>", row.front());
    for (std::size_t i = 1; i < row.size(); ++i) {
      markup += fmt::format("<td{}>{}</td>", kind(i), row[i]);
    }
    markup += "</tr>\n";
  }
  return markup + "</tbody>\n</table>\n";
}

std::string figure(const Drawing& picture, std::string_view caption) {
  if (picture.svg.empty()) {
    return paragraph(fmt::format("There is no picture: {}.", escaped(picture.problem)));
  }
  const std::size_t begin = picture.svg.find("<svg");  // what is before it has no place in HTML
  return fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n",
                     picture.svg.substr(begin), caption);
}

std::string config_sections(std::string_view caption, const std::string& config) {
  Json options = Json::parse(config);  // in the order of the file
  const Json versions = options.value("versions", Json::object());
  options.erase("versions");
  return section("Configuration", json_table(caption, "option", options)) +
         section("Environment", json_table("What it was made with", "part", versions));
}

std::string folder_name(const std::string& path) {
  std::filesystem::path folder = std::filesystem::absolute(path).lexically_normal();
  if (!folder.has_filename()) {  // it ends in a slash
    folder = folder.parent_path();
  }
  return folder.filename().string();
}

std::string document(std::string_view title, std::string_view content) {
  return fmt::format(
      "<!doctype html>\n"
      "<html lang=\"en\">\n"
      "<head>\n"
      "<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; "
      "style-src &#39;unsafe-inline&#39;\">\n"
      "<title>{}</title>\n"
      "<style>\n{}</style>\n"
      "</head>\n"
      "<body>\n<main>\n{}</main>\n</body>\n"
      "</html>\n",
      title, page_style(), content);
}

}  // namespace unroll
