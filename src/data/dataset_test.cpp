#include "data/dataset.h"

#include <gtest/gtest.h>

#include "data/test_images.h"

namespace fovea {
namespace {

std::string error_text(const Result<std::unique_ptr<Dataset>>& result) {
  return result.ok() ? "opened" : result.error().text();
}

TEST(MapFile, ReadsTolerantly) {
  const TemporaryFolder folder;
  const auto map = folder.write("map.txt", "\xef\xbb\xbf# comment\n\n  a.jpg   3\r\nsub/b c.jpg\t7  \n#x 1\nd.png 0");
  const auto data = open_map_file(map, folder.path());
  ASSERT_TRUE(data.ok()) << error_text(data);
  ASSERT_EQ((*data)->size(), 3);
  EXPECT_EQ((*data)->name(), "map");
  EXPECT_EQ((*data)->get(0).path, folder.path() / "a.jpg");
  EXPECT_EQ((*data)->get(0).label, 3);
  EXPECT_EQ((*data)->get(1).path, folder.path() / "sub/b c.jpg");
  EXPECT_EQ((*data)->get(1).label, 7);
  EXPECT_EQ((*data)->get(2).label, 0);
  EXPECT_THROW((*data)->get(3), CheckFailure);
  const auto missing = (*data)->load(0, {});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().text().find("a.jpg"), std::string::npos);
}

TEST(MapFile, ErrorsNameTheLine) {
  const TemporaryFolder folder;
  const auto text_of = [&](const std::string& text) {
    return error_text(open_map_file(folder.write("map.txt", text), folder.path()));
  };
  EXPECT_NE(text_of("a.jpg 1\nb.jpg\n").find("map.txt › line 2 › expected 'file label', found 'b.jpg'"),
            std::string::npos)
      << text_of("a.jpg 1\nb.jpg\n");
  for (const char* label : {"x", "-1", "1.5", "1000000", "99999999999999999999"})
    EXPECT_NE(text_of(fmt::format("# c\na.jpg {}", label)).find(fmt::format("found '{}'", label)), std::string::npos);
  EXPECT_NE(text_of("# nothing\n").find("no line"), std::string::npos);
  EXPECT_NE(text_of(std::string("a\0b.jpg 1", 9)).find("line 1"), std::string::npos);
  EXPECT_NE(error_text(open_map_file(folder.path() / "absent.txt", folder.path())).find("absent.txt"),
            std::string::npos);
  EXPECT_NE(error_text(open_map_file(folder.write("m", std::string("a 1")), "/nowhere")).find("/nowhere"),
            std::string::npos);
}

TEST(ImageFolder, FlatFoldersHaveNoLabels) {
  const TemporaryFolder folder;
  for (const char* name : {"b.jpg", "a.JPEG", "c.PNG", "Z.jpe", ".hidden.jpg", "notes.txt"}) folder.write(name, "x");
  const auto data = open_dataset(folder.path(), {});
  ASSERT_TRUE(data.ok()) << error_text(data);
  ASSERT_EQ((*data)->size(), 4);
  std::string order;
  for (int i = 0; i < 4; ++i) {
    order += (*data)->get(i).path.filename().string() + " ";
    EXPECT_EQ((*data)->get(i).label, kNoLabel);
  }
  EXPECT_EQ(order, "Z.jpe a.JPEG b.jpg c.PNG ");  // by bytes, whatever the locale
}

TEST(ImageFolder, SubFoldersAreClasses) {
  const TemporaryFolder folder;
  folder.write("n02/x.jpg", "x");
  folder.write("n01/b.jpg", "x");
  folder.write("n01/a.jpg", "x");
  folder.write("n00/readme.txt", "x");  // no image: not a class
  const auto data = open_image_folder(folder.path());
  ASSERT_TRUE(data.ok()) << error_text(data);
  ASSERT_EQ((*data)->size(), 3);
  EXPECT_EQ((*data)->get(0).path.filename(), "a.jpg");
  EXPECT_EQ((*data)->get(1).label, 0);
  EXPECT_EQ((*data)->get(2).label, 1);
  folder.write("stray.jpg", "x");
  EXPECT_NE(error_text(open_image_folder(folder.path())).find("stray.jpg"), std::string::npos);
}

TEST(ImageFolder, LabelsComeFromTheIds) {
  const TemporaryFolder folder;
  folder.write("n01443537/x.jpg", "x");
  const Labels labels = parse_labels("n01440764 tench\nn01443537 goldfish").value();
  const auto data = open_image_folder(folder.path(), &labels);
  ASSERT_TRUE(data.ok()) << error_text(data);
  EXPECT_EQ((*data)->get(0).label, 1);
  const Labels plain = parse_labels("tench\ngoldfish").value();
  EXPECT_EQ((*open_image_folder(folder.path(), &plain))->get(0).label, 0);
  folder.write("n09999999/x.jpg", "x");
  EXPECT_NE(error_text(open_image_folder(folder.path(), &labels)).find("n09999999"), std::string::npos);
}

TEST(ImageFolder, EmptyOrMissingIsAnError) {
  const TemporaryFolder folder;
  EXPECT_NE(error_text(open_image_folder(folder.path())).find("no .jpg"), std::string::npos);
  EXPECT_NE(error_text(open_image_folder("/nowhere")).find("/nowhere: no such folder"), std::string::npos);
  EXPECT_FALSE(open_image_folder(folder.write("file.jpg", "x")).ok());
}

TEST(Synthetic, IsTheSameEveryTime) {
  const SyntheticOptions options{.size = 20, .width = 32, .height = 24, .classes = 10, .seed = 5};
  const auto data = open_synthetic(options).value();
  const auto again = open_synthetic(options).value();
  std::vector<int> seen(10);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(data->get(i).label, again->get(i).label);
    ++seen.at(static_cast<std::size_t>(data->get(i).label));
    EXPECT_EQ(data->load(i, {}).value().image, again->load(i, {}).value().image);
  }
  EXPECT_GT(std::count_if(seen.begin(), seen.end(), [](int n) { return n > 0; }), 4);
  EXPECT_NE(data->load(0, {}).value().image, data->load(1, {}).value().image);
  // A fixed fingerprint: the same bytes on every machine and in every release.
  EXPECT_EQ(sha256_of(data->load(3, {}).value().image),
            "21d2baf3894c717bc865865532821d94a4da0ef6cebf640ded73ee93fb892ea9");
  EXPECT_FALSE(open_synthetic({.size = 0}).ok());
  EXPECT_FALSE(open_synthetic({.width = 1 << 20}).ok());
}

TEST(Cifar10, IsAMapFile) {
  const auto folder = test_data_folder() / "cifar10-jpeg";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no test data: " << folder << " is absent";
  const auto data = open_cifar10(folder);
  ASSERT_TRUE(data.ok()) << error_text(data);
  EXPECT_EQ((*data)->size(), 1000);
  const auto first = (*data)->load(0, {});
  ASSERT_TRUE(first.ok()) << first.error().text();
  EXPECT_EQ(first->image.width, 32);
  EXPECT_EQ(open_cifar10(folder, "train").value()->size(), 5000);
  EXPECT_FALSE(open_cifar10(folder, "both").ok());
}

}  // namespace
}  // namespace fovea
