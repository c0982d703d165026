#include "zoo/model_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fovea {
namespace {

using ::testing::HasSubstr;

const std::string kHash(64, 'a');
const std::string kGood = R"({
  "name": "tiny", "aliases": ["t"], "description": "d", "precision": "fp32",
  "files": [{"name": "tiny.onnx", "sha256": ")" +
                          kHash + R"("}],
  "source": "s", "licence": "MIT", "input": {"name": "x", "channels": 3, "height": 64, "width": 64},
  "preprocess": {"preset": "mobilenet", "resize": "shorter:73", "crop": 64, "channel_order": "bgr", "mean": [1, 2, 3]},
  "classes": 10, "label_offset": 0, "labels": "", "dataset": "imagenet",
  "accuracy": [{"set": "val", "images": 20, "top1": 50}], "published_top1": 51.5
})";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}
std::string error_of(const std::string& json) {
  const auto entry = parse_model_entry(json);
  return entry.ok() ? "no error" : entry.error().text();
}

TEST(ModelEntry, ReadsEveryKey) {
  const auto entry = parse_model_entry(kGood);
  ASSERT_TRUE(entry.ok()) << entry.error().text();
  EXPECT_EQ(entry->name, "tiny");
  EXPECT_EQ(entry->aliases, std::vector<std::string>{"t"});
  EXPECT_EQ(entry->files[0].sha256, kHash);
  EXPECT_EQ(entry->input.height, 64);
  EXPECT_EQ(entry->preprocess.crop, (ImageSize{64, 64}));
  EXPECT_EQ(entry->preprocess.resize.text(), "shorter:73");
  EXPECT_EQ(entry->preprocess.channel_order, ChannelOrder::kBgr);
  EXPECT_EQ(entry->preprocess.mean, (std::array<float, 3>{1, 2, 3}));
  EXPECT_EQ(entry->preprocess.std, (std::array<float, 3>{127.5f, 127.5f, 127.5f}));
  EXPECT_EQ(entry->accuracy[0].top1, 50);
  EXPECT_FALSE(entry->accuracy[0].top5.has_value());
  EXPECT_EQ(entry->published_top1, 51.5);
}

TEST(ModelEntry, ErrorsNameTheKey) {
  EXPECT_THAT(error_of("{"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(error_of(replaced("\"name\": \"tiny\"", "\"nome\": \"tiny\"")), HasSubstr("name: the key is missing"));
  EXPECT_THAT(error_of(replaced("\"classes\": 10", "\"classes\": \"10\"")),
              HasSubstr("classes: expected number, found string"));
  EXPECT_THAT(error_of(replaced("\"classes\": 10", "\"classes\": 0")), HasSubstr("classes: expected 1 to 1000000"));
  EXPECT_THAT(error_of(replaced("\"classes\": 10", "\"classes\": 1.5")), HasSubstr("classes: expected"));
  EXPECT_THAT(error_of(replaced("\"precision\": \"fp32\"", "\"precision\": \"fp8\"")),
              HasSubstr("precision: expected"));
  EXPECT_THAT(error_of(replaced(kHash, "AB")), HasSubstr("files[0].sha256: expected 64 lower-case hex digits"));
  EXPECT_THAT(error_of(replaced("tiny.onnx", "../tiny.onnx")), HasSubstr("files[0].name: expected a file name"));
  EXPECT_THAT(error_of(replaced("\"height\": 64,", "\"height\": 64, \"depth\": 1,")),
              HasSubstr("input.depth: unknown key"));
  EXPECT_THAT(error_of(replaced("\"dataset\"", "\"extra\": 1, \"dataset\"")), HasSubstr("extra: unknown key"));
  EXPECT_THAT(error_of(replaced("\"top1\": 50", "\"top1\": 101")),
              HasSubstr("accuracy[0].top1: expected a percentage"));
  EXPECT_THAT(error_of(replaced("\"mobilenet\"", "\"mobilnet\"")), HasSubstr("preprocess › unknown pre-processing"));
  EXPECT_THAT(error_of(replaced("[1, 2, 3]", "[1, 2]")), HasSubstr("preprocess.mean: expected 3 numbers"));
  EXPECT_THAT(error_of(replaced("\"crop\": 64", "\"crop\": 60")),
              HasSubstr("makes 60x60 images, but the input is 64x64"));
  EXPECT_THAT(error_of(replaced("shorter:73", "longer:73")), HasSubstr("preprocess › "));
}

TEST(ModelPreprocess, OverridesApplyOnTopOfThePreset) {
  PreprocessOverrides overrides;
  EXPECT_FALSE(overrides.any());
  overrides.preset = "torchvision";
  overrides.mean = {10, 20, 30};
  const auto p = apply_overrides({}, overrides);
  ASSERT_TRUE(p.ok()) << p.error().text();
  EXPECT_EQ(p->divisor, 1) << "means that are given are on 0..255";
  EXPECT_EQ(p->mean, (std::array<float, 3>{10, 20, 30}));
  EXPECT_FLOAT_EQ(p->std[0], 0.229f * 255);
  overrides.std = {0, 1, 1};
  EXPECT_FALSE(apply_overrides({}, overrides).ok());
}

TEST(ModelPreprocess, OverridesSurviveAsText) {
  EXPECT_EQ(to_json(PreprocessOverrides{}), "{}");
  PreprocessOverrides all;
  all.preset = "caffe";
  all.resize = "exact:99x98";
  all.crop = 96;
  all.interpolation = "pil-bicubic";
  all.mean = {0.1f, 2, 3};
  all.std = {58.395f, 1, 2};
  all.channel_order = "bgr";
  const auto again = parse_preprocess_overrides(to_json(all));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(to_json(*again), to_json(all));
  EXPECT_EQ(again->mean, all.mean);
  EXPECT_EQ(again->std, all.std);
  EXPECT_EQ(again->crop, 96);
  for (const char* wrong : {"", "[]", "{\"crop\": -1}", "{\"mean\": [1, 2]}", "{\"size\": 1}"})
    EXPECT_FALSE(parse_preprocess_overrides(wrong).ok()) << wrong;
}

TEST(ModelPreprocess, FitsToTheInput) {
  const Preprocess pil = find_preprocess("pil").value();
  const Preprocess fitted = fit_to_input(pil, {128, 128});
  EXPECT_EQ(output_size(fitted), (ImageSize{128, 128}));
  EXPECT_EQ(fitted.resize.text(), "shorter:146");
  EXPECT_EQ(fit_to_input(pil, {224, 224}).resize, pil.resize);
  const Preprocess raw = fit_to_input(find_preprocess("raw").value(), {32, 32});
  EXPECT_EQ(output_size(raw), (ImageSize{32, 32}));
}

}  // namespace
}  // namespace fovea
