// The rows of preprocess_presets(). Sources: torchvision's reference transforms; MLPerf inference's
// classification_and_detection/python/{imagenet,dataset}.py; Intel's ResNet50 v1.5 TensorFlow inference preprocessing.
#include <fmt/ranges.h>

#include <vector>

#include "base/suggest.h"
#include "data/preprocess.h"

namespace fovea {
namespace {

constexpr ImageSize k224{224, 224};

Preprocess shorter_then_crop(int side, ImageSize crop, Interpolation interpolation) {
  Preprocess p;
  p.resize = {ResizeRule::Kind::kShorter, {side, side}};
  p.crop = crop;
  p.interpolation = interpolation;
  p.decode.apply_orientation = false;
  return p;
}

Preprocess normalised(Preprocess p, float divisor, std::array<float, 3> mean, std::array<float, 3> std) {
  p.divisor = divisor;
  p.mean = mean;
  p.std = std;
  return p;
}

constexpr std::array<float, 3> kOnes{1, 1, 1};
constexpr std::array<float, 3> kVggMean{123.68f, 116.78f, 103.94f};

Preprocess torchvision() {
  Preprocess p = shorter_then_crop(256, k224, Interpolation::kPilBilinear);
  p.crop_rounding = CropRounding::kHalfEven;
  return normalised(p, 255, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f});
}

Preprocess caffe() {
  Preprocess p = shorter_then_crop(256, {227, 227}, Interpolation::kPilBilinear);
  p.channel_order = ChannelOrder::kBgr;
  return normalised(p, 1, {104, 117, 123}, kOnes);
}

Preprocess tensorflow_resnet50() {
  Preprocess p = shorter_then_crop(256, k224, Interpolation::kTfBilinear);
  p.decode.fast_dct = true;
  p.decode.fancy_upsampling = false;
  return normalised(p, 1, kVggMean, kOnes);
}

Preprocess raw(ImageSize size) {
  Preprocess p;
  p.resize = {ResizeRule::Kind::kExact, size};
  p.crop = size;
  p.decode.apply_orientation = false;
  return p;
}

std::vector<NamedPreprocess> make_presets() {
  const auto pil = shorter_then_crop(256, k224, Interpolation::kPilBilinear);
  const auto area = shorter_then_crop(256, k224, Interpolation::kOpenCvArea);
  const auto linear = shorter_then_crop(256, k224, Interpolation::kOpenCvLinear);
  const auto bicubic = shorter_then_crop(256, k224, Interpolation::kPilBicubic);
  return {
      {"pil", "ResNets on 0..255 pixels: Pillow bilinear 256, crop 224, RGB, ImageNet mean and std",
       normalised(pil, 1, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f})},
      {"torchvision", "torchvision and MLPerf's imagenet_pytorch: Pillow bilinear 256, rounded crop 224, x/255",
       torchvision()},
      {"mobilenet", "MobileNets: Pillow bilinear 256, crop 224, RGB, (x - 127.5) / 127.5",
       normalised(pil, 1, {127.5f, 127.5f, 127.5f}, {127.5f, 127.5f, 127.5f})},
      {"efficientnet-lite", "EfficientNet-Lite: Pillow bicubic 256, crop 224, RGB, (x - 127) / 128",
       normalised(bicubic, 1, {127, 127, 127}, {128, 128, 128})},
      {"caffe", "SqueezeNet and other Caffe nets: Pillow bilinear 256, crop 227, BGR minus 104, 117, 123", caffe()},
      {"mlperf-resnet50", "MLPerf resnet50: OpenCV area 256, crop 224, RGB minus the VGG means",
       normalised(area, 1, kVggMean, kOnes)},
      {"mlperf-mobilenet", "MLPerf mobilenet: OpenCV linear 256, crop 224, RGB, (x / 255 - 0.5) * 2",
       normalised(linear, 255, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f})},
      {"tf", "Intel's TensorFlow ResNet50 v1.5: fast DCT, TF bilinear 256, crop 224, RGB minus the VGG means",
       tensorflow_resnet50()},
      {"raw", "224x224 RGB pixels as they are, 0..255", raw(k224)},
      {"cifar10", "32x32 RGB pixels as they are, 0..255", raw({32, 32})},
  };
}

}  // namespace

std::span<const NamedPreprocess> preprocess_presets() {
  static const std::vector<NamedPreprocess> presets = make_presets();
  return presets;
}

Result<Preprocess> find_preprocess(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& row : preprocess_presets()) {
    if (row.name == name) return row.preprocess;
    known.emplace_back(row.name);
  }
  return make_error(ErrorCode::kUsage, "unknown pre-processing '{}': expected one of {}{}", name,
                    fmt::join(known, ", "), did_you_mean(name, known));
}

}  // namespace fovea
