// The elements of our pages. What they are given is markup already, unless it is called text;
// escaped() makes markup of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <unroll/report/gnuplot.h>

namespace unroll {

std::string paragraph(std::string_view content);

std::string section(std::string_view heading, std::string_view content);

/// A column's heading, and whether it has numbers.
struct Column {
  std::string heading;
  bool is_number = true;
};

using Columns = std::vector<Column>;
using Cells = std::vector<std::string>;

/// A table; each row's first cell is its heading.
std::string table(std::string_view caption, const Columns& columns, const std::vector<Cells>& rows);

/// A picture with its caption; a sentence with the reason if there is none.
std::string figure(const Drawing& picture, std::string_view caption);

/// The options of a config, the text of a JSON object, and the versions in it, as two sections.
std::string config_sections(std::string_view caption, const std::string& config);

/// The last part of a folder's path, as text.
std::string folder_name(const std::string& path);

/// A whole page that needs nothing but itself.
std::string document(std::string_view title, std::string_view content);

}  // namespace unroll
