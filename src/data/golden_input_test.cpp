// The input tensors of the golden model outputs, made again from their photographs: byte for byte.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "data/dataset.h"
#include "data/preprocess.h"
#include "data/test_images.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

// The elements of an u8 .npy file (NumPy format 1.0): after a header whose length stands at byte 8.
std::string read_npy(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  const std::string bytes = all.str();
  if (bytes.size() < 10 || bytes.find("'|u1'") == std::string::npos) return {};
  const std::size_t header = static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  return bytes.substr(10 + header);
}

void expect_golden(const Dataset& data, int count, const Preprocess& settings, const fs::path& npy) {
  const std::string expected = read_npy(npy);
  Preprocess p = settings;
  p.dtype = DType::kU8;
  const std::size_t bytes = output_bytes(p);
  ASSERT_EQ(expected.size(), bytes * static_cast<std::size_t>(count)) << npy;
  PreprocessScratch scratch;
  std::vector<std::byte> made(bytes);
  for (int i = 0; i < count; ++i) {
    const auto decoded = data.load(i, p.decode);
    ASSERT_TRUE(decoded.ok()) << decoded.error().text();
    ASSERT_TRUE(preprocess_into(decoded->image, p, scratch, made).ok());
    EXPECT_EQ(std::memcmp(made.data(), expected.data() + bytes * static_cast<std::size_t>(i), bytes), 0)
        << npy << " image " << i;
  }
}

TEST(GoldenInput, IsMadeAgainBitForBit) {
  const fs::path root = test_data_folder();
  if (!fs::exists(root / "golden"))
    GTEST_SKIP() << "no test data: " << root / "golden"
                 << " is absent";
  const auto val = open_map_file(root / "imagenet-sample/val_map.txt", root / "imagenet-sample/val").value();
  Preprocess crop;
  crop.crop = {224, 224};
  expect_golden(*val, 4, crop, root / "golden/input_u8_nhwc_224.npy");
  Preprocess crop_then_shrink = crop;
  crop_then_shrink.final_size = {128, 128};
  expect_golden(*val, 4, crop_then_shrink, root / "golden/input_u8_nhwc_128.npy");
  Preprocess as_is;
  as_is.crop = {227, 227};
  expect_golden(*val, 4, as_is, root / "golden/input_u8_nhwc_227.npy");
  const auto cifar = open_cifar10(root / "cifar10-jpeg").value();
  expect_golden(*cifar, 16, find_preprocess("cifar10").value(), root / "golden/input_u8_nhwc_32.npy");
}

TEST(GoldenInput, AllPhotographsDecode) {
  const fs::path root = test_data_folder() / "imagenet-sample";
  if (!fs::exists(root)) GTEST_SKIP() << "no test data: " << root << " is absent";
  for (const char* set : {"calib", "val-fullsize"}) {
    const auto data = open_image_folder(root / set);
    ASSERT_TRUE(data.ok()) << data.error().text();
    for (std::int64_t i = 0; i < (*data)->size(); i += 4) {
      const auto decoded = (*data)->load(i, {});
      ASSERT_TRUE(decoded.ok()) << decoded.error().text();
    }
  }
}

}  // namespace
}  // namespace fovea
