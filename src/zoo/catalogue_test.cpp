#include "zoo/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "zoo/checkpoint_model.h"
#include "zoo/networks.h"

namespace fovea {
namespace {

using ::testing::HasSubstr;

TEST(Catalogue, HoldsEveryModel) {
  std::vector<std::string> names;
  for (const ModelEntry& entry : model_catalogue()) names.push_back(entry.name);
  EXPECT_THAT(names,
              ::testing::ElementsAre("cifar10-resnet8", "cifar10-resnet8-qdq", "efficientnet-lite0", "mobilenet-v1",
                                     "mobilenet-v1-0.25-128", "mobilenet-v1-0.25-128-qdq", "mobilenet-v1-qdq",
                                     "mobilenet-v2", "mobilenet-v2-qdq", "mobilenet-v3-small", "mobilenet-v3-small-qdq",
                                     "resnet18", "resnet50", "squeezenet"));
}

TEST(Catalogue, EntriesAreConsistent) {
  std::set<std::string> names, hashes;
  for (const ModelEntry& entry : model_catalogue()) {
    SCOPED_TRACE(entry.name);
    EXPECT_TRUE(names.insert(entry.name).second);
    for (const std::string& alias : entry.aliases) EXPECT_TRUE(names.insert(alias).second) << alias;
    for (const auto& file : entry.files) {
      EXPECT_TRUE(hashes.insert(file.sha256).second) << file.name;
      EXPECT_EQ(find_model_by_hash(file.sha256), &entry);
      if (is_checkpoint_file(file.name)) {
        EXPECT_NE(find_network(entry.network), nullptr);
      }
    }
    if (!entry.network.empty()) {
      EXPECT_NE(find_network(entry.network), nullptr) << entry.network;
    }
    const Labels* labels = embedded_labels(entry.labels);
    ASSERT_NE(labels, nullptr) << entry.labels;
    EXPECT_EQ(static_cast<int>(labels->size()), entry.classes - entry.label_offset);
    EXPECT_FALSE(entry.accuracy.empty());
    EXPECT_FALSE(entry.description.empty());
    EXPECT_FALSE(entry.licence.empty());
    EXPECT_TRUE(entry.published_top1.has_value());
  }
  EXPECT_EQ(find_model_by_hash("00"), nullptr);
}

TEST(Catalogue, EveryNetworkHasAnEntry) {
  for (const NetworkSpec& network : networks()) {
    const ModelEntry* entry = find_model(network.name);
    ASSERT_NE(entry, nullptr) << network.name;
    EXPECT_EQ(entry->network, network.name);
  }
}

TEST(Catalogue, FindsByNameAndAliasWithoutRegardToCase) {
  ASSERT_NE(find_model(kDefaultModel), nullptr);
  EXPECT_EQ(find_model("resnet50")->name, "resnet50");
  EXPECT_EQ(find_model("ResNet50-v1.5")->name, "resnet50");
  EXPECT_EQ(find_model("mobilenet_v2")->name, "mobilenet-v2");
  EXPECT_EQ(find_model("resnet"), nullptr);
  EXPECT_EQ(find_model(""), nullptr);
  EXPECT_THAT(suggest_model("mobilnet-v2"), HasSubstr("'mobilenet-v2'"));
  EXPECT_EQ(suggest_model("zzzzzz"), "");
}

TEST(Catalogue, Labels) {
  const Labels* imagenet = embedded_labels("imagenet1000");
  ASSERT_NE(imagenet, nullptr);
  EXPECT_EQ(imagenet->size(), 1000u);
  EXPECT_EQ(imagenet->name(0), "tench");
  EXPECT_EQ(imagenet->name(285), "Egyptian cat");
  EXPECT_EQ(imagenet->name(999), "toilet tissue");
  EXPECT_EQ(imagenet->index_of_id("n01440764"), 0);
  EXPECT_EQ(imagenet->index_of_id("n15075141"), 999);
  const Labels* cifar = embedded_labels("cifar10");
  ASSERT_NE(cifar, nullptr);
  EXPECT_EQ(cifar->name(3), "cat");
  EXPECT_EQ(embedded_labels("nothing"), nullptr);
}

TEST(Catalogue, ModelsReadAsTheirPublishersSay) {
  const ModelEntry& squeezenet = *find_model("squeezenet");
  EXPECT_EQ(squeezenet.preprocess.channel_order, ChannelOrder::kBgr);
  EXPECT_EQ(squeezenet.preprocess.mean, (std::array<float, 3>{104, 117, 123}));
  EXPECT_EQ(squeezenet.input.width, 227);
  EXPECT_EQ(squeezenet.input.name, "data");
  const ModelEntry& small = *find_model("mobilenet-v1-0.25-128");
  EXPECT_EQ(output_size(small.preprocess), (ImageSize{128, 128}));
  EXPECT_EQ(small.label_offset, 1);
  const ModelEntry& resnet = *find_model("resnet50");
  EXPECT_EQ(resnet.preprocess.std, (std::array<float, 3>{58.395f, 57.12f, 57.375f}));
  ASSERT_EQ(resnet.accuracy.size(), 3u);
  EXPECT_EQ(resnet.accuracy[0].top1, 74.60);
  EXPECT_EQ(resnet.accuracy[0].top5, 92.80);
  const ModelEntry& lite = *find_model("efficientnet-lite0");
  EXPECT_EQ(lite.preprocess.mean, (std::array<float, 3>{127, 127, 127}));
  EXPECT_EQ(lite.preprocess.std, (std::array<float, 3>{128, 128, 128}));
}

}  // namespace
}  // namespace fovea
