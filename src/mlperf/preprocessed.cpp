#include "mlperf/preprocessed.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/suggest.h"
#include "zoo/catalogue.h"

namespace fovea::mlperf {
namespace {

constexpr std::string_view kNames[] = {"fp32", "int8_linear", "int8_chw4"};
// Of Alibaba's calibration cache: 2.6405 / 127.
constexpr std::uint32_t kAutosinianScaleBits = 0x3caa5293;

Preprocess planar(Preprocess p) {
  p.layout = Layout::kRowMajor;
  return p;
}

PreprocessRule resnet50() {
  const Preprocess p = planar(find_preprocess("mlperf-resnet50").value());
  return {"resnet50", "ResNet50", p, PreprocessRule::Int8{p, 1, -128}};
}

// NVIDIA's shrinks by area where the reference has bilinear; int8 is the pixel minus 128.
PreprocessRule mobilenet() {
  Preprocess fp32 = planar(find_preprocess("mlperf-mobilenet").value());
  fp32.interpolation = Interpolation::kOpenCvArea;
  Preprocess pixels = fp32;
  pixels.divisor = 1;
  pixels.mean = {128, 128, 128};
  pixels.std = {1, 1, 1};
  return {"mobilenet", "MobileNet", fp32, PreprocessRule::Int8{pixels, 1, -128}};
}

PreprocessRule autosinian() {
  Preprocess p = planar(find_preprocess("torchvision").value());
  p.resize.size = {202, 202};
  p.crop = {176, 176};
  return {"resnet50-autosinian", "ResNet50-AutoSinian", p,
          PreprocessRule::Int8{p, std::bit_cast<float>(kAutosinianScaleBits), -127}};
}

template <class T>
std::string npy(std::string_view descr, std::span<const T> values, std::span<const int> shape) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, fmt::join(shape, ", "));
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  header.append(kAlignment - (kPrefix + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

}  // namespace

std::string_view stored_format_name(StoredFormat format) { return kNames[static_cast<int>(format)]; }

Result<StoredFormat> parse_stored_format(std::string_view name) {
  if (name == "chw4" || name == "nhw4" || name == "int8_nhw4") return StoredFormat::kInt8Chw4;
  for (int i = 0; i < 3; ++i)
    if (name == kNames[i]) return static_cast<StoredFormat>(i);
  return make_error(ErrorCode::kUsage, "unknown format '{}': expected fp32, int8_linear or int8_chw4 (chw4, nhw4)",
                    name);
}

Result<PreprocessRule> find_preprocess_rule(std::string_view benchmark) {
  if (benchmark == "resnet50") return resnet50();
  if (benchmark == "mobilenet") return mobilenet();
  if (benchmark == "resnet50-autosinian") return autosinian();
  if (const ModelEntry* model = find_model(benchmark))
    return PreprocessRule{std::string(benchmark), model->name, planar(model->preprocess), {}};
  std::vector<std::string> known{"resnet50", "mobilenet", "resnet50-autosinian"};
  for (const ModelEntry& entry : model_catalogue()) known.push_back(entry.name);
  return make_error(ErrorCode::kUsage,
                    "unknown benchmark '{}': expected resnet50, mobilenet, resnet50-autosinian or a model of `fovea "
                    "models`{}",
                    benchmark, did_you_mean(benchmark, known));
}

Result<std::vector<float>> to_fp32(const Image& image, const PreprocessRule& rule) {
  FOVEA_TRY(const Tensor tensor, preprocess(image, rule.fp32));
  const auto values = tensor.as<float>();
  return std::vector<float>(values.begin(), values.end());
}

Result<std::vector<std::int8_t>> to_int8(const Image& image, const PreprocessRule& rule, StoredFormat format) {
  FOVEA_CHECK(rule.int8 && format != StoredFormat::kFp32);
  FOVEA_TRY(const Tensor tensor, preprocess(image, rule.int8->values));
  const auto values = tensor.as<float>();
  const std::size_t plane = values.size() / 3;
  const bool interleaved = format == StoredFormat::kInt8Chw4;
  std::vector<std::int8_t> out(interleaved ? 4 * plane : values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float scaled = rule.int8->scale == 1 ? values[i] : values[i] / rule.int8->scale;
    const auto byte = static_cast<std::int8_t>(std::clamp(scaled, rule.int8->low, 127.0f));
    out[interleaved ? 4 * (i % plane) + i / plane : i] = byte;
  }
  return out;
}

std::string npy_bytes(std::span<const float> values, std::span<const int> shape) { return npy("<f4", values, shape); }
std::string npy_bytes(std::span<const std::int8_t> values, std::span<const int> shape) {
  return npy("|i1", values, shape);
}

}  // namespace fovea::mlperf
