// The weights file: what is in it, that it comes back, and what is refused.

#include <unroll/run/weights_file.h>

#include <gtest/gtest.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/model/model.h>
#include <unroll/run/safetensors.h>

#include "../support/safetensors.h"
#include "../support/temp_dir.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using testing::encode_safetensors;
using testing::TempDir;

constexpr ModelOptions kOptions = {.num_classes = 3, .hidden_size = 4};
constexpr std::array<const char*, 6> kTensorNames = {"readout.bias",     "readout.weight",
                                                     "rnn.bias_hh_l0",   "rnn.bias_ih_l0",
                                                     "rnn.weight_hh_l0", "rnn.weight_ih_l0"};

/// A safetensors file taken apart by its specification: eight bytes of length, a JSON header, data.
struct Parts {
  Json header;
  std::string data;
};

Parts take_apart(const std::string& path) {
  const std::string bytes = testing::read_bytes(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  return {Json::parse(bytes.substr(8, length)), bytes.substr(8 + length)};
}

/// A tensor's values as its bytes say.
template <typename Real>
std::vector<double> values(const Parts& parts, const std::string& name) {
  const auto begin = parts.header[name]["data_offsets"][0].get<std::size_t>();
  const auto end = parts.header[name]["data_offsets"][1].get<std::size_t>();
  std::vector<Real> reals((end - begin) / sizeof(Real));
  std::memcpy(reals.data(), parts.data.data() + begin, end - begin);
  return {reals.begin(), reals.end()};
}

/// A tensor for a file, every element `value`.
SafeTensor filled(const std::string& dtype, const std::vector<std::int64_t>& shape, double value) {
  const bool is_wide = dtype == "F64";
  std::size_t count = 1;
  for (const std::int64_t extent : shape) {
    count *= static_cast<std::size_t>(extent);
  }
  SafeTensor tensor = {dtype, shape, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const auto narrow = static_cast<float>(value);
    tensor.bytes.append(
        is_wide ? reinterpret_cast<const char*>(&value) : reinterpret_cast<const char*>(&narrow),
        is_wide ? 8 : 4);
  }
  return tensor;
}

/// A good file's tensors for kOptions.
SafeTensors good(const std::string& dtype = "F32") {
  return {{"rnn.weight_ih_l0", filled(dtype, {4, 3}, 0.25)},
          {"rnn.weight_hh_l0", filled(dtype, {4, 4}, 0.5)},
          {"rnn.bias_ih_l0", filled(dtype, {4}, 0.75)},
          {"rnn.bias_hh_l0", filled(dtype, {4}, 0.0)},
          {"readout.weight", filled(dtype, {3, 4}, 1.25)},
          {"readout.bias", filled(dtype, {3}, 1.5)}};
}

class WeightsFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory / "weights.safetensors"; }

  [[nodiscard]] Weights load(const SafeTensors& tensors, torch::Dtype dtype) const {
    testing::write_bytes(path(), encode_safetensors(tensors));
    return load_weights(path(), kOptions, dtype);
  }

  /// Expects the file as it is to be refused with this problem, which follows its path.
  void expect_refused(const std::string& problem, torch::Dtype dtype = torch::kFloat32) const {
    try {
      load_weights(path(), kOptions, dtype);
      ADD_FAILURE() << "was taken, expected: " << problem;
    } catch (const FileError& error) {
      EXPECT_EQ(std::string(error.what()), path() + ": " + problem);
    }
  }

  void expect_refused(const SafeTensors& tensors, const std::string& problem,
                      torch::Dtype dtype = torch::kFloat32) const {
    testing::write_bytes(path(), encode_safetensors(tensors));
    expect_refused(problem, dtype);
  }

  TempDir directory;
};

TEST_F(WeightsFileTest, HasPyTorchsNamesShapesAndDtypes) {
  for (const auto& [dtype, name] : std::vector<std::pair<torch::Dtype, std::string>>{
           {torch::kFloat32, "F32"}, {torch::kFloat64, "F64"}}) {
    save_weights(path(), testing::spread_weights(kOptions, dtype));
    const Parts parts = take_apart(path());
    ASSERT_EQ(parts.header.size(), kTensorNames.size());
    const std::vector<std::vector<std::int64_t>> shapes = {{3}, {3, 4}, {4}, {4}, {4, 4}, {4, 3}};
    for (std::size_t i = 0; i < kTensorNames.size(); ++i) {
      SCOPED_TRACE(kTensorNames[i]);
      ASSERT_TRUE(parts.header.contains(kTensorNames[i]));
      EXPECT_EQ(parts.header[kTensorNames[i]]["shape"].get<std::vector<std::int64_t>>(), shapes[i]);
      EXPECT_EQ(parts.header[kTensorNames[i]]["dtype"], name);
    }
  }
}

TEST_F(WeightsFileTest, HoldsTheWeightsRowByRowAndASecondBiasOfZeros) {
  const Weights weights = testing::spread_weights(kOptions, torch::kFloat32);
  save_weights(path(), weights);
  const Parts parts = take_apart(path());
  EXPECT_EQ(values<float>(parts, "rnn.weight_ih_l0"), testing::numbers(weights.input_weight));
  EXPECT_EQ(values<float>(parts, "rnn.weight_hh_l0"), testing::numbers(weights.recurrent_weight));
  EXPECT_EQ(values<float>(parts, "rnn.bias_ih_l0"), testing::numbers(weights.bias));
  EXPECT_EQ(values<float>(parts, "rnn.bias_hh_l0"), (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(values<float>(parts, "readout.weight"), testing::numbers(weights.readout_weight));
  EXPECT_EQ(values<float>(parts, "readout.bias"), testing::numbers(weights.readout_bias));
}

TEST_F(WeightsFileTest, HoldsFloat64InFull) {
  const Weights weights = testing::spread_weights(kOptions, torch::kFloat64);
  save_weights(path(), weights);
  EXPECT_EQ(values<double>(take_apart(path()), "rnn.weight_hh_l0"),
            testing::numbers(weights.recurrent_weight));
}

TEST_F(WeightsFileTest, WritesTransposedTensorsAsTheyRead) {
  Weights weights = testing::spread_weights(kOptions, torch::kFloat32);
  weights.recurrent_weight = weights.recurrent_weight.t();
  ASSERT_FALSE(weights.recurrent_weight.is_contiguous());
  save_weights(path(), weights);
  EXPECT_EQ(values<float>(take_apart(path()), "rnn.weight_hh_l0"),
            testing::numbers(weights.recurrent_weight));
}

TEST_F(WeightsFileTest, ComesBackToTheBit) {
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
    for (const ModelKind kind : {ModelKind::kManual, ModelKind::kBuiltin}) {
      ModelOptions options = kOptions;
      options.model = kind;
      const auto model = make_model(options, dtype, torch::kCPU);
      const Weights weights = testing::spread_weights(options, dtype);
      model->set_weights(weights);
      save_weights(path(), model->weights());
      EXPECT_TRUE(testing::same(load_weights(path(), options, dtype), weights));
    }
  }
}

TEST_F(WeightsFileTest, ReplacesAnOldFileAndLeavesNothingElse) {
  testing::write_bytes(path(), "something old");
  const Weights weights = testing::spread_weights(kOptions, torch::kFloat32);
  save_weights(path(), weights);
  EXPECT_TRUE(testing::same(load_weights(path(), kOptions, torch::kFloat32), weights));
  EXPECT_EQ(testing::names_in(directory.path()), (std::set<std::string>{"weights.safetensors"}));
}

TEST_F(WeightsFileTest, SaysIfItCannotBeWritten) {
  const std::string missing = directory / "no/such/folder.safetensors";
  try {
    save_weights(missing, testing::spread_weights(kOptions, torch::kFloat32));
    FAIL() << "was written";
  } catch (const FileError& error) {
    EXPECT_EQ(std::string(error.what()),
              missing + ": cannot be written: No such file or directory");
  }
}

TEST_F(WeightsFileTest, AddsPyTorchsSecondBiasToTheFirst) {
  SafeTensors tensors = good();
  tensors["rnn.bias_hh_l0"] = filled("F32", {4}, -0.5);
  EXPECT_EQ(testing::numbers(load(tensors, torch::kFloat32).bias), (std::vector<double>(4, 0.25)));
}

TEST_F(WeightsFileTest, OfFloat32ServesAFloat64Run) {
  const Weights weights = load(good("F32"), torch::kFloat64);
  EXPECT_EQ(weights.bias.scalar_type(), torch::kFloat64);
  EXPECT_EQ(weights.input_weight.scalar_type(), torch::kFloat64);
  EXPECT_EQ(testing::numbers(weights.readout_weight), (std::vector<double>(12, 1.25)));
}

TEST_F(WeightsFileTest, OfFloat64IsNotRoundedForAFloat32Run) {
  for (const char* name : kTensorNames) {
    SafeTensors tensors = good();
    tensors[name] = filled("F64", tensors[name].shape, 0.0);
    expect_refused(tensors, std::string(name) + " must be F32 for a float32 run, got F64");
  }
}

TEST_F(WeightsFileTest, RefusesAMissingTensor) {
  for (const char* name : kTensorNames) {
    SafeTensors tensors = good();
    tensors.erase(name);
    expect_refused(tensors, std::string("has no tensor ") + name);
  }
}

TEST_F(WeightsFileTest, RefusesAnExtraTensor) {
  SafeTensors tensors = good();
  tensors["rnn.weight_ih_l1"] = filled("F32", {4, 4}, 0.0);
  expect_refused(tensors, "has a tensor rnn.weight_ih_l1 that the model does not know");
}

TEST_F(WeightsFileTest, RefusesAnotherShape) {
  const auto refused = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                           const std::string& problem) {
    SafeTensors tensors = good();
    tensors[name] = filled("F32", shape, 0.0);
    expect_refused(tensors, name + " must have shape " + problem);
  };
  refused("rnn.weight_ih_l0", {3, 4}, "[4, 3], got [3, 4]");
  refused("rnn.weight_hh_l0", {4, 5}, "[4, 4], got [4, 5]");
  refused("rnn.weight_hh_l0", {16}, "[4, 4], got [16]");
  refused("rnn.bias_ih_l0", {1}, "[4], got [1]");
  refused("rnn.bias_ih_l0", {}, "[4], got []");
  refused("rnn.bias_hh_l0", {4, 1}, "[4], got [4, 1]");
  refused("readout.weight", {2, 4}, "[3, 4], got [2, 4]");
  refused("readout.bias", {0}, "[3], got [0]");
}

TEST_F(WeightsFileTest, RefusesAnotherDtype) {
  for (const auto& [dtype, width] : std::vector<std::pair<std::string, std::size_t>>{
           {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"U8", 1}, {"BOOL", 1}}) {
    SafeTensors tensors = good();
    tensors["rnn.bias_ih_l0"] = {dtype, {4}, std::string(4 * width, '\0')};
    expect_refused(tensors, "rnn.bias_ih_l0 must be F32 for a float32 run, got " + dtype);
    expect_refused(tensors, "rnn.bias_ih_l0 must be F32 or F64, got " + dtype, torch::kFloat64);
  }
}

TEST_F(WeightsFileTest, RefusesValuesThatAreNotFinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity}) {
    for (const char* name : kTensorNames) {
      SafeTensors tensors = good();
      tensors[name] = filled("F32", tensors[name].shape, value);
      expect_refused(tensors, std::string(name) + " has a value that is not finite");
    }
  }
}

TEST_F(WeightsFileTest, RefusesOneBadValueAmongGoodOnes) {
  SafeTensors tensors = good();
  const float bad = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(tensors["rnn.weight_hh_l0"].bytes.data() + 15 * sizeof(bad), &bad, sizeof(bad));
  expect_refused(tensors, "rnn.weight_hh_l0 has a value that is not finite");
}

TEST_F(WeightsFileTest, RefusesBiasesWhoseSumIsNotFinite) {
  SafeTensors tensors = good();
  tensors["rnn.bias_ih_l0"] = filled("F32", {4}, 3e38);
  tensors["rnn.bias_hh_l0"] = filled("F32", {4}, 3e38);
  testing::write_bytes(path(), encode_safetensors(tensors));
  EXPECT_THROW(load_weights(path(), kOptions, torch::kFloat32), FileError);
}

TEST_F(WeightsFileTest, RefusesAFileThatIsNotThere) {
  expect_refused("cannot be opened: No such file or directory");
}

TEST_F(WeightsFileTest, RefusesAFolder) {
  std::filesystem::create_directory(path());
  expect_refused("cannot be read: Is a directory");
}

TEST_F(WeightsFileTest, RefusesEveryTruncation) {
  const std::string whole = encode_safetensors(good());
  for (std::size_t size = 0; size < whole.size(); size += size < 16 ? 1 : 7) {
    testing::write_bytes(path(), std::string_view(whole).substr(0, size));
    try {
      load_weights(path(), kOptions, torch::kFloat32);
      ADD_FAILURE() << "took the first " << size << " of " << whole.size() << " bytes";
    } catch (const FileError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(path() + ": ")) << error.what();
    }
  }
}

TEST_F(WeightsFileTest, RefusesAHeaderThatLiesAboutItsSize) {
  std::string bytes = encode_safetensors(good());
  const std::uint64_t lie = std::numeric_limits<std::uint64_t>::max();
  std::memcpy(bytes.data(), &lie, sizeof(lie));
  testing::write_bytes(path(), bytes);
  EXPECT_THROW(load_weights(path(), kOptions, torch::kFloat32), FileError);
}

TEST_F(WeightsFileTest, RefusesWeightsOfAnotherModel) {
  save_weights(path(),
               testing::spread_weights({.num_classes = 3, .hidden_size = 8}, torch::kFloat32));
  expect_refused("rnn.weight_ih_l0 must have shape [4, 3], got [8, 3]");
}

}  // namespace
}  // namespace unroll
