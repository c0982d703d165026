#include "data/labels.h"

#include <gtest/gtest.h>

#include "data/test_images.h"

namespace fovea {
namespace {

TEST(Labels, ReadsBothForms) {
  const Labels synsets = parse_labels("n01440764 tench, Tinca tinca\r\nn01443537\tgoldfish\n\n").value();
  ASSERT_EQ(synsets.size(), 2u);
  EXPECT_EQ(synsets.names[0], "tench, Tinca tinca");
  EXPECT_EQ(synsets.ids[1], "n01443537");
  EXPECT_EQ(synsets.index_of_id("n01443537"), 1);
  EXPECT_FALSE(synsets.index_of_id("n00000000"));
  EXPECT_FALSE(synsets.index_of_id(""));
  const Labels plain = parse_labels(
                           "\xef\xbb\xbf"
                           "airplane\n  n1 road \nn0144076 x")
                           .value();
  EXPECT_EQ(plain.names, (std::vector<std::string>{"airplane", "n1 road", "n0144076 x"}));
  EXPECT_EQ(plain.ids[2], "");
  EXPECT_FALSE(plain.index_of_id(""));
  EXPECT_EQ(plain.name(0), "airplane");
  EXPECT_EQ(plain.name(3), "class 3");
  EXPECT_EQ(plain.name(-1), "class -1");
}

TEST(Labels, ErrorsNameFileAndLine) {
  EXPECT_FALSE(parse_labels("").ok());
  EXPECT_FALSE(parse_labels("\n\n").ok());
  EXPECT_NE(parse_labels("a\n\nb").error().text().find("line 2"), std::string::npos);
  EXPECT_FALSE(parse_labels(std::string(5000, 'x')).ok());
  EXPECT_FALSE(parse_labels(std::string_view("a\0b", 3)).ok());
  EXPECT_NE(read_labels("/nowhere/labels.txt").error().text().find("/nowhere/labels.txt"), std::string::npos);
  EXPECT_FALSE(read_labels("/").ok());
}

TEST(Labels, ReadsImageNets) {
  const auto path = test_data_folder() / "imagenet-sample/synset_words.txt";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no test data: " << path << " is absent";
  const Labels labels = read_labels(path).value();
  ASSERT_EQ(labels.size(), 1000u);
  EXPECT_EQ(labels.index_of_id("n01440764"), 0);
  EXPECT_EQ(labels.names[281].substr(0, 5), "tabby");
}

}  // namespace
}  // namespace fovea
