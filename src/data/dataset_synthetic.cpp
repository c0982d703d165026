#include <cmath>

#include "base/rng.h"
#include "data/dataset.h"

namespace fovea {
namespace {

class SyntheticDataset : public Dataset {
 public:
  explicit SyntheticDataset(const SyntheticOptions& options)
      : options_(options), name_(fmt::format("synthetic-{}x{}-seed{}", options.width, options.height, options.seed)) {}

  const std::string& name() const override { return name_; }
  std::int64_t size() const override { return options_.size; }

  DatasetSample get(std::int64_t index) const override {
    FOVEA_CHECK(index >= 0 && index < size());
    Rng rng = random_of(index);
    return {fmt::format("{}/{}", name_, index),
            static_cast<int>(rng.below(static_cast<std::uint64_t>(options_.classes)))};
  }

  // Per channel a plane wave of random direction, length and phase, and up to 15 steps of noise: neither constant nor
  // white, so that a network's activations spread much as they do on photographs.
  Result<DecodedImage> load(std::int64_t index, const DecodeOptions&) const override {
    FOVEA_CHECK(index >= 0 && index < size());
    Rng rng = random_of(index);
    rng.next();  // the label's
    DecodedImage made;
    Image& image = made.image;
    image.width = made.info.stored_width = options_.width;
    image.height = made.info.stored_height = options_.height;
    image.rgb.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
    float step_x[kImageChannels], step_y[kImageChannels], phase[kImageChannels];
    for (int c = 0; c < kImageChannels; ++c) {
      step_x[c] = rng.uniform(-0.2f, 0.2f);
      step_y[c] = rng.uniform(-0.2f, 0.2f);
      phase[c] = rng.uniform(0.0f, 6.28f);
    }
    std::uint8_t* to = image.rgb.data();
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        std::uint64_t noise = rng.next();
        for (int c = 0; c < kImageChannels; ++c, noise >>= 4) {
          const float wave = triangle(phase[c] + step_x[c] * static_cast<float>(x) + step_y[c] * static_cast<float>(y));
          *to++ = static_cast<std::uint8_t>(static_cast<int>(wave * 240.0f) + static_cast<int>(noise & 15));
        }
      }
    }
    return made;
  }

 private:
  // A wave of period 1 between 0 and 1, of exact operations only: the same bytes on every machine.
  static float triangle(float x) {
    const float part = x - std::floor(x);
    return part < 0.5f ? 2.0f * part : 2.0f - 2.0f * part;
  }
  Rng random_of(std::int64_t index) const {
    return Rng(Rng(options_.seed).next() ^ (static_cast<std::uint64_t>(index) * 0x9e3779b97f4a7c15ull));
  }

  SyntheticOptions options_;
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<Dataset>> open_synthetic(const SyntheticOptions& options) {
  constexpr int kMaxSide = 1 << 14;
  if (options.size < 1 || options.classes < 1 || options.width < 1 || options.height < 1 || options.width > kMaxSide ||
      options.height > kMaxSide)
    return make_error(ErrorCode::kUsage,
                      "synthetic data: expected at least one image and class and sides of 1 to {}, found {} images, {} "
                      "classes, {}x{}",
                      kMaxSide, options.size, options.classes, options.width, options.height);
  return std::unique_ptr<Dataset>(std::make_unique<SyntheticDataset>(options));
}

}  // namespace fovea
