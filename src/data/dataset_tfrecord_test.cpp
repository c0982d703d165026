#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "data/dataset.h"
#include "data/example_image.h"
#include "data/loader.h"
#include "data/test_images.h"
#include "data/tfrecord.h"
#include "data/tfrecord_export.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Twelve small photographs in classes 0, 1, 2 with a map file, and one PNG among them.
fs::path image_folder(const TemporaryFolder& folder) {
  std::string map;
  for (int i = 0; i < 12; ++i) {
    const Image image = noise_image(static_cast<std::uint64_t>(i), 40 + i, 36);
    const std::string name = fmt::format("img{:02d}.{}", i, i == 5 ? "png" : "jpg");
    const Bytes encoded = i == 5 ? encode_png(image) : encode_jpeg(image);
    folder.write("images/" + name, std::string(reinterpret_cast<const char*>(encoded.data()), encoded.size()));
    map += fmt::format("{} {}\n", name, i % 3);
  }
  folder.write("map.txt", map);
  return folder.path() / "images";
}

struct Exported {
  TemporaryFolder folder;
  fs::path images = image_folder(folder), map = folder.path() / "map.txt", records = folder.path() / "records";
  Result<ExportSummary> write(TfRecordExportOptions options = {.shards = 4, .threads = 2}) const {
    return write_tfrecords(*open_map_file(map, images).value(), records, options);
  }
};

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);  // the check value of RFC 3720's CRC
  EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8a9136aau);
  EXPECT_EQ(crc32c({}), 0u);
  for (std::size_t n = 0; n < 70; ++n) {
    const std::string text(n, static_cast<char>('a' + n % 26));
    EXPECT_EQ(crc32c(bytes_of(text)), crc32c_by_table(bytes_of(text))) << n;
  }
}

// The container by its parts; tests/cli/tfrecord_test.py reads files of another implementation.
TEST(TfRecord, HasTheDocumentedParts) {
  const TemporaryFolder folder;
  auto writer = RecordWriter::create(folder.path() / "x");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->append(bytes_of("fovea")).ok());
  EXPECT_FALSE(fs::exists(folder.path() / "x"));
  ASSERT_TRUE(writer->finish().ok());
  ASSERT_TRUE(writer->commit().ok());
  const std::string text = file_text(folder.path() / "x");
  ASSERT_EQ(text.size(), 8 + 4 + 5 + 4u);
  EXPECT_EQ(text.substr(0, 8), std::string("\5\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(text.substr(12, 5), "fovea");
  std::uint32_t length_crc, data_crc;
  std::memcpy(&length_crc, text.data() + 8, 4);
  std::memcpy(&data_crc, text.data() + 17, 4);
  EXPECT_EQ(length_crc, masked_crc32c(bytes_of(std::string_view(text).substr(0, 8))));
  EXPECT_EQ(data_crc, masked_crc32c(bytes_of("fovea")));
}

TEST(ImageExample, RoundTrip) {
  ImageExample example;
  example.encoded = {std::byte{1}, std::byte{2}, std::byte{0}};
  example.label = 1000;
  example.filename = "ILSVRC2012_val_00000001.JPEG";
  example.synset = "n01751748";
  example.width = 500;
  example.height = 375;
  const auto again = parse_image_example(serialise(example));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->encoded, example.encoded);
  EXPECT_EQ(again->label, 1000);
  EXPECT_EQ(again->filename, example.filename);
  EXPECT_EQ(again->synset, example.synset);
  EXPECT_EQ(again->width, 500);
  EXPECT_EQ(again->height, 375);
  EXPECT_EQ(serialise(example), serialise(example));
  EXPECT_FALSE(parse_image_example(bytes_of("no example")).ok());
  example.encoded.clear();
  EXPECT_NE(parse_image_example(serialise(example)).error().text().find("image/encoded"), std::string::npos);
}

TEST(TfRecords, GiveTheSameSamplesAndBytesAsTheFolder) {
  const Exported set;
  const auto written = set.write();
  ASSERT_TRUE(written.ok()) << written.error().text();
  EXPECT_EQ(written->written, 12);
  EXPECT_TRUE(fs::exists(set.records / "validation-00003-of-00004"));
  const std::shared_ptr<const Dataset> folder = open_map_file(set.map, set.images).value();
  const std::shared_ptr<const Dataset> records = open_dataset(set.records, {}).value();
  ASSERT_EQ(records->size(), 12);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(records->get(i).label, folder->get(i).label);
    EXPECT_EQ(records->get(i).path, folder->get(i).path.filename());
    EXPECT_EQ(records->read(i).value(), folder->read(i).value());
  }
  Preprocess p = find_preprocess("tf").value();
  p.crop = {24, 24};
  p.resize.size = {28, 28};
  const auto a = Loader::start(folder, p, {.batch = 5, .workers = 2}).value();
  const auto b = Loader::start(records, p, {.batch = 5, .workers = 2}).value();
  while (const Batch* x = a->next()) {
    const Batch* y = b->next();
    ASSERT_NE(y, nullptr);
    ASSERT_EQ(x->samples.size(), y->samples.size());
    for (const LoadedSample& sample : y->samples) EXPECT_FALSE(sample.error) << sample.error->text();
    EXPECT_EQ(std::memcmp(x->data.data, y->data.data, 5 * output_bytes(p)), 0);
  }
  EXPECT_EQ(b->next(), nullptr);
}

TEST(TfRecords, LabelsCountFromTheBase) {
  const Exported set;
  ASSERT_TRUE(set.write({.shards = 1, .label_base = 0}).ok());
  const auto zero = open_tfrecords(set.records, {.label_base = 0}).value();
  EXPECT_EQ(zero->get(0).label, 0);
  EXPECT_EQ(zero->get(1).label, 1);
  const auto one = open_tfrecords(set.records).value();
  EXPECT_EQ(one->get(1).label, 0);
  EXPECT_EQ(one->get(0).label, kNoLabel);
  EXPECT_NE(one->load(0, {}).error().text().find("count from 1"), std::string::npos);
}

TEST(TfRecords, SplitsAreKeptApart) {
  const Exported set;
  ASSERT_TRUE(set.write({.split = "train", .shards = 2}).ok());
  EXPECT_EQ(open_tfrecords(set.records).value()->name(), "train");
  ASSERT_TRUE(set.write({.shards = 1}).ok());
  EXPECT_EQ(open_tfrecords(set.records).value()->name(), "validation");
  EXPECT_EQ(open_tfrecords(set.records, {.split = "train"}).value()->size(), 12);
  EXPECT_NE(open_tfrecords(set.records, {.split = "test"}).error().text().find("train, validation"), std::string::npos);
  EXPECT_NE(set.write({.shards = 1}).error().text().find("--replace"), std::string::npos);
  ASSERT_TRUE(set.write({.shards = 3, .replace = true}).ok());
  EXPECT_FALSE(fs::exists(set.records / "validation-00000-of-00001"));
  EXPECT_EQ(open_tfrecords(set.records / "validation-00000-of-00003").value()->size(), 4);
}

TEST(TfRecords, DamageIsCountedAndTheRestIsRead) {
  const Exported set;
  ASSERT_TRUE(set.write({.shards = 3}).ok());
  // One flipped byte of an image, one cut-off shard, one that is not there.
  const fs::path first = set.records / "validation-00000-of-00003", second = set.records / "validation-00001-of-00003";
  std::string text = file_text(first);
  text[600] = static_cast<char>(text[600] ^ 1);
  std::ofstream(first, std::ios::binary) << text;
  fs::resize_file(second, fs::file_size(second) - 10);
  fs::remove(set.records / "validation-00002-of-00003");
  const auto data = open_tfrecords(set.records).value();
  ASSERT_EQ(data->size(), 4 + 3 + 1 + 1);
  std::vector<std::string> errors;
  for (int i = 0; i < data->size(); ++i) {
    const auto loaded = data->load(i, {});
    if (!loaded.ok()) errors.push_back(loaded.error().text());
  }
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_NE(errors[0].find("validation-00000-of-00003 › record at byte 0: the checksum of its data is wrong"),
            std::string::npos)
      << errors[0];
  EXPECT_NE(errors[1].find("validation-00001-of-00003 › record 3"), std::string::npos) << errors[1];
  EXPECT_NE(errors[1].find("truncated"), std::string::npos) << errors[1];
  EXPECT_NE(errors[2].find("validation-00002-of-00003: is missing"), std::string::npos) << errors[2];
  const auto checked = check_dataset(*data, 2, nullptr, {});
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(checked->written, 6);
  EXPECT_EQ(checked->failures.size(), 3u);
}

TEST(TfRecords, WhatIsNoneIsAnError) {
  const TemporaryFolder folder;
  const auto text_of = [](const Result<std::unique_ptr<Dataset>>& r) { return r.ok() ? "opened" : r.error().text(); };
  EXPECT_NE(text_of(open_tfrecords(folder.path())).find("no TFRecord shard"), std::string::npos);
  EXPECT_NE(text_of(open_tfrecords(folder.path() / "none")).find("none: no such"), std::string::npos);
  EXPECT_NE(text_of(open_tfrecords(folder.write("e", ""))).find("no record"), std::string::npos);
  EXPECT_NE(text_of(open_tfrecords(folder.write("t", "this is not a file of records"))).find("checksum"),
            std::string::npos);
  EXPECT_NE(text_of(open_tfrecords(folder.write("z", "\x1f\x8b compressed bytes"))).find("compressed"),
            std::string::npos);
  EXPECT_NE(text_of(open_tfrecords(folder.write("s", "short"))).find("ends after 5"), std::string::npos);
}

TEST(TfRecords, BackToAFolder) {
  const Exported set;
  ASSERT_TRUE(set.write().ok());
  const fs::path back = set.folder.path() / "back";
  const auto written = write_image_folder(*open_tfrecords(set.records).value(), back, nullptr, {});
  ASSERT_TRUE(written.ok()) << written.error().text();
  EXPECT_EQ(file_text(back / "map.txt"), file_text(set.map));
  for (int i = 0; i < 12; ++i) {
    const std::string name = fmt::format("img{:02d}.{}", i, i == 5 ? "png" : "jpg");
    EXPECT_EQ(file_text(back / name), file_text(set.images / name));
  }
  EXPECT_NE(write_image_folder(*open_tfrecords(set.records).value(), back, nullptr, {}).error().text().find("exists"),
            std::string::npos);
}

TEST(TfRecords, UnreadableImagesAreLeftOutAndStoppingLeavesNothing) {
  const Exported set;
  set.folder.write("images/img03.jpg", "no image");
  const auto written = set.write();
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->written, 11);
  ASSERT_EQ(written->failures.size(), 1u);
  EXPECT_NE(written->failures[0].find("img03.jpg"), std::string::npos);
  const std::atomic<bool> stop{true};
  const fs::path other = set.folder.path() / "other";
  const auto stopped =
      write_tfrecords(*open_map_file(set.map, set.images).value(), other, {.shards = 2, .stop = &stop});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kInterrupted);
  EXPECT_TRUE(fs::is_empty(other));
}

}  // namespace
}  // namespace fovea
