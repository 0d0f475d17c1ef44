// unroll-train, run as its users run it, and what it leaves behind, read without Unroll's code.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "../support/run_program.h"
#include "../support/sanitizer.h"
#include "../support/temp_dir.h"

namespace unroll::testing {

using Json = nlohmann::ordered_json;

/// Flags of a small training: ten windows an epoch, and three rows: after windows 4, 8 and 10.
constexpr const char* kFewWindows = " --series-length 300 --epochs 2 --log-every 4 ";
/// Flags of a small run, with a small evaluation.
constexpr const char* kSmall = " --series-length 300 --epochs 2 --log-every 4 --eval-length 500 ";

/// What a run directory holds in the end, and nothing else.
inline const std::set<std::string> run_files = {
    "SHA256SUMS",  "checkpoints",  "config.json",        "loss.gp", "loss.svg", "metrics.csv",
    "report.html", "summary.json", "weights.safetensors"};

/// unroll-train with these flags, as text for a shell.
inline std::string train_command(const std::string& flags) {
  return shell_word(UNROLL_BINARY_DIR "/unroll-train") + " " + flags;
}

/// Runs unroll-train in a folder.
inline Outcome train(const TempDir& folder, const std::string& flags) {
  return run_shell(train_command(flags), folder.path());
}

/// Runs unroll-train in a folder and expects it to succeed.
inline Outcome expect_trains(const TempDir& folder, const std::string& flags) {
  Outcome outcome = train(folder, flags);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome;
}

/// Checks that a program that failed said so in one line, and gives that line.
inline std::string one_line(const Outcome& outcome) {
  EXPECT_TRUE(outcome.err.starts_with("unroll-train: ")) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n') + 1, outcome.err.size()) << outcome.err;
  return outcome.err.substr(0, outcome.err.find('\n'));
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

/// A row of metrics.csv; the loss as it stands there.
struct Row {
  std::int64_t epoch;
  std::int64_t window;
  std::string mean_loss;

  bool operator==(const Row& other) const = default;
};

/// Every row of a run's metrics, each of which must have its form.
inline std::vector<Row> read_metrics(const TempDir& folder, const std::string& run) {
  const std::string text = read_bytes(folder / (run + "/metrics.csv"));
  EXPECT_TRUE(text.ends_with('\n'));
  const std::vector<std::string> lines = lines_of(text);
  EXPECT_EQ(lines.at(0), "epoch,window,mean_loss,train_seconds");
  const std::regex form(R"((\d+),(\d+),([^,]+),\d+\.\d{6})");
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(lines[i], match, form)) {
      rows.push_back({std::stoll(match[1]), std::stoll(match[2]), match[3]});
    } else {
      ADD_FAILURE() << "no row of metrics.csv: " << lines[i];
    }
  }
  return rows;
}

/// Where the rows of metrics.csv stand: "1:4 1:8 1:10 ".
inline std::string places(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text.append(std::to_string(row.epoch)).append(":");
    text.append(std::to_string(row.window)).append(" ");
  }
  return text;
}

/// The numbers of a run's loss column.
inline std::vector<double> read_losses(const TempDir& folder, const std::string& run) {
  std::vector<double> losses;
  for (const Row& row : read_metrics(folder, run)) {
    losses.push_back(std::stod(row.mean_loss));
  }
  return losses;
}

inline Json read_json(const std::string& path) { return Json::parse(read_bytes(path)); }

inline std::string read_weights(const TempDir& folder, const std::string& run) {
  return read_bytes(folder / (run + "/weights.safetensors"));
}

/// A tensor of a safetensors file, all of whose elements are the same.
struct Tensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  double value = 0.25;
};

/// A safetensors file of these tensors.
inline std::string safetensors(const std::vector<Tensor>& tensors, Json metadata = nullptr) {
  Json header = Json::object();
  if (!metadata.is_null()) {
    header["__metadata__"] = std::move(metadata);
  }
  std::string data;
  for (const Tensor& tensor : tensors) {
    const std::size_t begin = data.size();
    std::int64_t count = 1;
    for (const std::int64_t extent : tensor.shape) {
      count *= extent;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const auto append = [&data](const auto& value) {
        data.append(reinterpret_cast<const char*>(&value), sizeof(value));
      };
      if (tensor.dtype == "F64") {
        append(tensor.value);
      } else if (tensor.dtype == "F32") {
        append(static_cast<float>(tensor.value));
      } else {
        append(static_cast<std::int16_t>(tensor.value));
      }
    }
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + text + data;
}

/// The tensors of a default model (C = 2, H = 4), in one dtype.
inline std::vector<Tensor> model_tensors(const std::string& dtype = "F32") {
  return {{"rnn.weight_ih_l0", dtype, {4, 2}}, {"rnn.weight_hh_l0", dtype, {4, 4}},
          {"rnn.bias_ih_l0", dtype, {4}},      {"rnn.bias_hh_l0", dtype, {4}},
          {"readout.weight", dtype, {2, 4}},   {"readout.bias", dtype, {2}}};
}

/// A series of 300 symbols in four classes, whose target is its input one step back.
inline std::string four_class_csv() {
  std::string text = "input,target\n";
  int previous = 0;
  for (int i = 0; i < 300; ++i) {
    const int input = i * i % 3 + (i % 7 == 0 ? 2 : 0);
    text.append(std::to_string(input)).append(",").append(std::to_string(previous)).append("\n");
    previous = input;
  }
  return text;
}

}  // namespace unroll::testing
