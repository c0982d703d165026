#include "data/loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "data/dataset_list.h"
#include "data/test_images.h"

namespace fovea {
namespace {

Preprocess to_24() {
  Preprocess p;
  p.resize = parse_resize("shorter:28").value();
  p.crop = {24, 24};
  return p;
}

std::shared_ptr<const Dataset> synthetic(std::int64_t size) {
  return open_synthetic({.size = size, .width = 40, .height = 30, .classes = 7, .seed = 3}).value();
}

std::string sha256_of(const Batch& batch) {
  const std::size_t bytes = static_cast<std::size_t>(element_count({batch.data.dims.begin(), batch.data.dims.end()})) *
                            size_of(batch.data.dtype);
  return sha256_hex({static_cast<const std::byte*>(batch.data.data), bytes});
}

// Everything that a run delivers, as one line a batch.
std::vector<std::string> record(std::shared_ptr<const Dataset> data, const LoaderOptions& options) {
  auto loader = Loader::start(std::move(data), to_24(), options);
  if (!loader.ok()) return {loader.error().text()};
  std::vector<std::string> lines;
  while (const Batch* batch = (*loader)->next()) {
    std::string line = sha256_of(*batch);
    for (const LoadedSample& s : batch->samples)
      line += fmt::format(" {}:{}:{}", s.index, s.source.label, s.error ? s.error->text() : "ok");
    lines.push_back(line);
  }
  EXPECT_EQ((*loader)->next(), nullptr);  // the end stays the end
  return lines;
}

// A data set whose samples take turns to be slow, fail, and throw.
class Troublesome : public ListDataset {
 public:
  explicit Troublesome(std::int64_t size) : ListDataset("troublesome", make(size)) {}
  Result<DecodedImage> load(std::int64_t index, const DecodeOptions&) const override {
    ++loads;
    if (index % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (index % 7 == 3) return bad_input("sample {} is bad", index);
    if (index % 7 == 4) throw std::runtime_error("sample throws");
    if (index % 7 == 5) throw std::bad_alloc();
    if (index % 7 == 6) throw 5;  // NOLINT: not an exception class, on purpose
    DecodedImage decoded;
    decoded.image = noise_image(static_cast<std::uint64_t>(index), 30, 30);
    decoded.info.warnings = index % 7 == 1 ? 1 : 0;
    return decoded;
  }
  mutable std::atomic<int> loads = 0;

 private:
  static std::vector<DatasetSample> make(std::int64_t size) {
    std::vector<DatasetSample> samples;
    for (std::int64_t i = 0; i < size; ++i) samples.push_back({fmt::format("t{}", i), static_cast<int>(i)});
    return samples;
  }
};

TEST(Loader, OrderAndBytesDoNotDependOnTheWorkers) {
  for (const std::int64_t batch : {1, 4, 7}) {
    const auto alone = record(synthetic(45), {.batch = batch, .workers = 1, .batches_ahead = 2});
    ASSERT_EQ(alone.size(), static_cast<std::size_t>((45 + batch - 1) / batch));
    for (const int workers : {2, 4, 8})
      for (const int ahead : {2, 3, 50})
        EXPECT_EQ(record(synthetic(45), {.batch = batch, .workers = workers, .batches_ahead = ahead}), alone)
            << workers << ' ' << ahead;
  }
  const auto data = std::make_shared<Troublesome>(40);
  const auto alone = record(data, {.batch = 3, .workers = 1});
  for (const int workers : {2, 4, 8}) EXPECT_EQ(record(data, {.batch = 3, .workers = workers}), alone);
}

TEST(Loader, DeliversWhatPreprocessGives) {
  const auto data = synthetic(10);
  auto loader = Loader::start(data, to_24(), {.batch = 4, .workers = 2, .first = 1, .count = 6}).value();
  EXPECT_EQ(loader->samples(), 6);
  EXPECT_EQ(loader->batches(), 2);
  std::int64_t index = 1;
  while (const Batch* batch = loader->next()) {
    ASSERT_EQ(batch->data.dims.size(), 4u);
    EXPECT_EQ(batch->data.dims[0], 4);
    EXPECT_EQ(batch->data.layout, Layout::kChannelsLast);
    const std::size_t elements = 24 * 24 * 3;
    for (std::size_t i = 0; i < 4; ++i) {
      const float* values = batch->data.as<float>() + i * elements;
      if (i >= batch->samples.size()) {
        for (std::size_t e = 0; e < elements; ++e) ASSERT_EQ(values[e], 0.0f);
        continue;
      }
      EXPECT_EQ(batch->samples[i].index, index);
      EXPECT_EQ(batch->samples[i].source.label, data->get(index).label);
      const Tensor expected = preprocess(data->load(index, {}).value().image, to_24()).value();
      EXPECT_EQ(std::memcmp(values, expected.raw(), expected.bytes()), 0);
      ++index;
    }
  }
  EXPECT_EQ(index, 7);
}

TEST(Loader, ErrorsStayWithTheirSamples) {
  auto loader = Loader::start(std::make_shared<Troublesome>(14), to_24(), {.batch = 14, .workers = 3}).value();
  const Batch* batch = loader->next();
  ASSERT_NE(batch, nullptr);
  ASSERT_EQ(batch->samples.size(), 14u);
  for (std::size_t i = 0; i < 14; ++i) {
    const LoadedSample& sample = batch->samples[i];
    EXPECT_EQ(sample.error.has_value(), i % 7 >= 3) << i;
    EXPECT_EQ(sample.damaged, i % 7 == 1) << i;
    const float* values = batch->data.as<float>() + i * 24 * 24 * 3;
    const bool is_zero = std::all_of(values, values + 24 * 24 * 3, [](float v) { return v == 0; });
    EXPECT_EQ(is_zero, sample.error.has_value()) << i;
  }
  EXPECT_EQ(batch->samples[3].error->message(), "sample 3 is bad");
  EXPECT_EQ(batch->samples[4].error->text(), "image t4 › sample throws");
  EXPECT_EQ(batch->samples[5].error->code(), ErrorCode::kResource);
  EXPECT_EQ(batch->samples[6].error->code(), ErrorCode::kInternal);
}

TEST(Loader, NeverRunsFurtherAheadThanItsRing) {
  const auto data = std::make_shared<Troublesome>(200);
  auto loader = Loader::start(data, to_24(), {.batch = 5, .workers = 4, .batches_ahead = 3}).value();
  for (int b = 0; b < 4; ++b) {
    ASSERT_NE(loader->next(), nullptr);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_LE(data->loads, (b + 3) * 5);  // the batch in hand and two more
  }
}

TEST(Loader, EndsEarlyWithoutHanging) {
  for (int round = 0; round < 30; ++round) {
    const auto data = std::make_shared<Troublesome>(500);
    auto loader = Loader::start(data, to_24(), {.batch = 2, .workers = 1 + round % 8, .batches_ahead = 2}).value();
    for (int b = 0; b < round % 4; ++b) ASSERT_NE(loader->next(), nullptr);
    loader.reset();
    EXPECT_LT(data->loads, 40);
  }
}

TEST(Loader, EmptyRunsEndAtOnce) {
  const auto data = synthetic(5);
  EXPECT_TRUE(record(data, {.first = 5}).empty());
  EXPECT_TRUE(record(data, {.count = 0}).empty());
  EXPECT_EQ(record(data, {.batch = 100, .first = 4, .count = 100}).size(), 1u);
}

TEST(Loader, RefusesWhatCannotWork) {
  const auto data = synthetic(5);
  const auto code = [&](const Preprocess& p, const LoaderOptions& options) {
    auto loader = Loader::start(data, p, options);
    return loader.ok() ? ErrorCode{} : loader.error().code();
  };
  EXPECT_EQ(code(Preprocess{}, {}), ErrorCode::kUsage);  // images of any size
  EXPECT_EQ(code(to_24(), {.batch = 0}), ErrorCode::kUsage);
  EXPECT_EQ(code(to_24(), {.workers = -1}), ErrorCode::kUsage);
  EXPECT_EQ(code(to_24(), {.batches_ahead = 1}), ErrorCode::kUsage);
  EXPECT_EQ(code(to_24(), {.first = 6}), ErrorCode::kUsage);
  EXPECT_EQ(code(to_24(), {.count = -2}), ErrorCode::kUsage);
  EXPECT_EQ(code(to_24(), {.batch = 1'000'000'000}), ErrorCode::kResource);
}

// A folder as users have them: whole photographs of all kinds, and files that are broken in all ways.
TEST(Loader, CountsTheBadFilesOfAFolder) {
  const TemporaryFolder folder;
  const Image photo = gradient_image(60, 44);
  const Bytes jpeg = encode_jpeg(photo), png = encode_png(photo);
  std::map<std::string, bool> is_good;
  const auto put = [&](const std::string& name, std::span<const std::byte> bytes, bool good) {
    folder.write(name, bytes);
    is_good[name] = good;
  };
  for (int i = 0; i < 10; ++i) put(fmt::format("plain{}.jpg", i), jpeg, true);
  put("grey.jpg", encode_jpeg(photo, {.grey = true}), true);
  put("cmyk.jpg", encode_jpeg(photo, {.cmyk = true}), true);
  put("progressive.jpg", encode_jpeg(photo, {.progressive = true}), true);
  put("turned.jpg", encode_jpeg(photo, {.orientation = 6}), true);
  put("png_inside.jpg", png, true);
  put("jpeg_inside.png", jpeg, true);
  put("palette.png", encode_png(photo, {.colour_type = PNG_COLOR_TYPE_PALETTE}), true);
  put("alpha16.png", encode_png(photo, {.colour_type = PNG_COLOR_TYPE_RGB_ALPHA, .bits = 16}), true);
  const auto marker_broken = [&] {
    Bytes bytes = jpeg;
    bytes[2] = std::byte{0x12};
    return bytes;
  };
  const auto table_broken = [&] {  // a segment that claims more bytes than the file has
    Bytes bytes = jpeg;
    bytes[4] = bytes[5] = std::byte{0xff};
    return bytes;
  };
  const auto checksum_broken = [&] {
    Bytes bytes = png;
    bytes[bytes.size() - 14] ^= std::byte{0xff};
    return bytes;
  };
  const std::string text = "This is a text file with the wrong name.";
  put("bad_truncated.jpg", std::span(jpeg).first(jpeg.size() / 2), false);
  put("bad_header_only.jpg", std::span(jpeg).first(100), false);
  put("bad_no_end.jpg", std::span(jpeg).first(jpeg.size() - 2), false);
  put("bad_empty.jpg", {}, false);
  put("bad_text.jpg", std::as_bytes(std::span(text)), false);
  put("bad_marker.jpg", marker_broken(), false);
  put("bad_table.jpg", table_broken(), false);
  put("bad_truncated.png", std::span(png).first(png.size() - 30), false);
  put("bad_checksum.png", checksum_broken(), false);
  put("bad_three_bytes.png", std::span(png).first(3), false);
  const std::shared_ptr<const Dataset> data = open_image_folder(folder.path()).value();
  ASSERT_EQ(data->size(), 28);
  auto loader = Loader::start(data, to_24(), {.batch = 8, .workers = 4}).value();
  int bad = 0;
  while (const Batch* batch = loader->next()) {
    for (const LoadedSample& sample : batch->samples) {
      const std::string name = sample.source.path.filename().string();
      EXPECT_EQ(!sample.error, is_good.at(name)) << name << ": " << (sample.error ? sample.error->text() : "read");
      if (!sample.error) continue;
      ++bad;
      EXPECT_NE(sample.error->text().find(name), std::string::npos) << sample.error->text();
    }
  }
  EXPECT_EQ(bad, 10);
}

}  // namespace
}  // namespace fovea
