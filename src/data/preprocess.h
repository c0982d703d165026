// Preprocess: from a decoded image to the numbers that a network wants. Resize, centre crop, normalise, in that order.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/crop.h"
#include "data/image.h"
#include "data/resize.h"
#include "tensor/tensor.h"

namespace fovea {

struct ResizeRule {
  enum class Kind : std::uint8_t {
    kNone,
    kShorter,  // the shorter side to `size.width`, the longer one to int(side * longer / shorter)
    kExact,    // to `size`, aspect not kept; 0x0 means the size of the crop
  };
  Kind kind = Kind::kNone;
  ImageSize size;
  std::string text() const;  // what parse_resize reads
  bool operator==(const ResizeRule&) const = default;
};
// "none", "shorter:256", "exact", "exact:224", "exact:320x240" (width x height). Anything else is a usage error.
Result<ResizeRule> parse_resize(std::string_view text);

enum class ChannelOrder : std::uint8_t { kRgb, kBgr };
std::string_view channel_order_name(ChannelOrder order);          // "rgb", "bgr"
Result<ChannelOrder> parse_channel_order(std::string_view name);  // usage error otherwise

// Plain data. Each output value is (pixel / divisor - mean[c]) / std[c] in float32, rounded after every operation; mean
// and std are in the order of the channels as the network gets them.
struct Preprocess {
  ResizeRule resize;
  Interpolation interpolation = Interpolation::kPilBilinear;
  ImageSize crop;  // of the resized image, from its centre; 0x0: no crop
  CropRounding crop_rounding = CropRounding::kDown;
  ImageSize final_size;  // the crop resized once more, to this; 0x0: not
  ChannelOrder channel_order = ChannelOrder::kRgb;
  float divisor = 1.0f;
  std::array<float, 3> mean{0.0f, 0.0f, 0.0f};
  std::array<float, 3> std{1.0f, 1.0f, 1.0f};
  DType dtype = DType::kF32;  // or kU8: the pixels themselves; divisor, mean and std are then not applied
  Layout layout = Layout::kChannelsLast;
  DecodeOptions decode;  // how files are to be decoded for it; preprocess() itself does not look at this
};

// Usage errors for what can never work: a crop larger than the resize, std 0, a dtype other than f32 and u8…
Status check_preprocess(const Preprocess& p);

// Size of the result for every image, or 0x0 where it depends on the image (no crop after none or shorter).
ImageSize output_size(const Preprocess& p);
// Bytes of one image of output_size(): what preprocess_into() fills.
std::size_t output_bytes(const Preprocess& p);

// Buffers that one thread reuses from image to image.
struct PreprocessScratch {
  ResizeScratch resize;
  Image cropped;
  std::vector<std::uint8_t> bytes;
  std::vector<float> floats;
};

// A tensor of logical dims [1,3,height,width], in p.layout. Errors: an image that is too small for the crop (the
// message names both sizes), or a Preprocess that check_preprocess refuses.
Result<Tensor> preprocess(const Image& image, const Preprocess& p);

// The same bytes into the caller's slot of a batch, which must have output_bytes(p) bytes and float alignment. Apart
// from the growth of `scratch` nothing is allocated.
Status preprocess_into(const Image& image, const Preprocess& p, PreprocessScratch& scratch, std::span<std::byte> to);

// Pre-processing of well-known networks and suites, by name. They give NHWC f32 and leave EXIF orientation alone, as
// the pipelines that they reproduce do: set decode.apply_orientation for photographs from a camera.
struct NamedPreprocess {
  std::string_view name;
  std::string_view description;
  Preprocess preprocess;
};
std::span<const NamedPreprocess> preprocess_presets();
// A usage error lists the names.
Result<Preprocess> find_preprocess(std::string_view name);

}  // namespace fovea
