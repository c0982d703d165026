// Asks Pillow and OpenCV themselves, where a Python with them is at hand, and compares hashes.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>

#include "data/dataset.h"
#include "data/preprocess.h"
#include "data/test_images.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

// A Python that can import what the reference needs, or nothing: the test environment of the build, then the system's.
std::string find_python() {
  for (const std::string& python : {std::string(FOVEA_SOURCE_DIR) + "/build/venv/bin/python", std::string("python3")}) {
    const std::string command = "'" + python + "' -c 'import numpy, PIL' > /dev/null 2>&1";
    if (std::system(command.c_str()) == 0) return python;
  }
  return {};
}

// The reference's answers, one for each request; empty where it cannot be run.
std::vector<std::string> ask(const std::vector<std::string>& requests) {
  const std::string python = find_python();
  if (python.empty()) return {};
  const TemporaryFolder folder;
  std::string text;
  for (const std::string& request : requests) text += request + "\n";
  const fs::path questions = folder.write("questions", text);
  const std::string command = fmt::format("'{}' '{}/tools/golden/image_reference.py' answer < '{}' > '{}'", python,
                                          FOVEA_SOURCE_DIR, questions.string(), (folder.path() / "answers").string());
  if (std::system(command.c_str()) != 0) return {};
  std::vector<std::string> answers;
  std::ifstream file(folder.path() / "answers");
  for (std::string line; std::getline(file, line);) answers.push_back(line);
  return answers;
}

#define SKIP_WITHOUT_ANSWERS(answers, requests)                                                                   \
  if ((answers).empty())                                                                                          \
    GTEST_SKIP() << "no Python with numpy and pillow: neither build/venv (tools/setup/make_venv.sh) nor python3"; \
  ASSERT_EQ((answers).size(), (requests).size())

TEST(LiveReference, ResizesOfRandomSizes) {
  Rng rng(77);
  std::vector<std::string> requests, ours;
  for (int i = 0; i < 160; ++i) {
    const auto side = [&](int most) { return 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(most))); };
    const int width = side(120), height = side(120), new_width = side(150), new_height = side(150);
    const char* methods[] = {"pil", "pil-bicubic", "pil13", "pil13-bicubic", "opencv", "opencv-area"};
    const char* method = methods[i % 6];
    requests.push_back(fmt::format("resize\t{}\t{}\t{}\t{}\t{}\t{}", i, width, height, new_width, new_height, method));
    ours.push_back(sha256_of(resize(noise_image(static_cast<std::uint64_t>(i), width, height), {new_width, new_height},
                                    parse_interpolation(method).value())
                                 .value()));
  }
  const auto answers = ask(requests);
  SKIP_WITHOUT_ANSWERS(answers, requests);
  int compared = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (answers[i].starts_with("skip")) continue;
    ++compared;
    EXPECT_EQ(ours[i], answers[i]) << requests[i];
  }
  EXPECT_GT(compared, 40);  // Pillow alone, without the sizes that its version resizes in the other order
}

TEST(LiveReference, DecodesOfOddFiles) {
  const TemporaryFolder folder;
  const Image noise = noise_image(1, 53, 37);
  std::vector<fs::path> files;
  for (const int quality : {1, 30, 75, 100})
    for (const bool progressive : {false, true})
      for (const bool subsampled : {false, true})
        files.push_back(folder.write(fmt::format("{}{}{}.jpg", quality, progressive, subsampled),
                                     encode_jpeg(noise, {quality, progressive, false, false, subsampled})));
  files.push_back(folder.write("grey.jpg", encode_jpeg(noise, {.grey = true})));
  files.push_back(folder.write("cmyk.jpg", encode_jpeg(noise, {.cmyk = true})));
  files.push_back(folder.write("turned.jpg", encode_jpeg(noise, {.orientation = 6})));
  for (const int type : {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_GRAY_ALPHA,
                         PNG_COLOR_TYPE_PALETTE})
    for (const bool interlaced : {false, true})
      files.push_back(
          folder.write(fmt::format("{}{}.png", type, interlaced), encode_png(noise, {type, 8, interlaced})));
  files.push_back(folder.write("deep.png", encode_png(noise, {.bits = 16})));
  std::vector<std::string> requests;
  for (const fs::path& file : files) requests.push_back("decode\t" + file.string());
  const auto answers = ask(requests);
  SKIP_WITHOUT_ANSWERS(answers, requests);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto decoded = decode_image_file(files[i], {.apply_orientation = false});
    ASSERT_TRUE(decoded.ok()) << decoded.error().text();
    EXPECT_EQ(sha256_of(decoded->image), answers[i]) << files[i];
  }
}

// Photographs through whole pipelines: all the full-size ones, the first 50 of val.
TEST(LiveReference, PhotographsThroughPipelines) {
  const fs::path root = test_data_folder() / "imagenet-sample";
  if (!fs::exists(root)) GTEST_SKIP() << "no test data: " << root << " is absent";
  struct Case {
    const char* map;
    const char* folder;
    std::int64_t count;
    const char* resize;
    const char* method;
    int crop;
  };
  constexpr Case kCases[] = {{"val_fullsize_map.txt", "val-fullsize", 20, "shorter:256", "pil", 224},
                             {"val_fullsize_map.txt", "val-fullsize", 20, "shorter:256", "pil13-bicubic", 224},
                             {"val_fullsize_map.txt", "val-fullsize", 20, "shorter:256", "opencv", 224},
                             {"val_fullsize_map.txt", "val-fullsize", 20, "shorter:256", "opencv-area", 224},
                             {"val_map.txt", "val", 50, "none", "pil", 224},
                             {"val_map.txt", "val", 50, "exact:128x128", "pil", 0}};
  std::vector<std::string> requests, ours;
  for (const Case& c : kCases) {
    Preprocess p;
    p.resize = parse_resize(c.resize).value();
    p.interpolation = parse_interpolation(c.method).value();
    p.crop = {c.crop, c.crop};
    p.dtype = DType::kU8;
    p.decode.apply_orientation = false;
    const auto data = open_map_file(root / c.map, root / c.folder).value();
    ASSERT_GE(data->size(), c.count);
    for (std::int64_t i = 0; i < c.count; ++i) {
      const auto decoded = data->load(i, p.decode);
      ASSERT_TRUE(decoded.ok()) << decoded.error().text();
      const Tensor result = preprocess(decoded->image, p).value();
      requests.push_back(fmt::format("photo\t{}\t{}\t{}\t{}", data->get(i).path.string(), c.resize, c.method, c.crop));
      ours.push_back(sha256_hex({static_cast<const std::byte*>(result.raw()), result.bytes()}));
    }
  }
  const auto answers = ask(requests);
  SKIP_WITHOUT_ANSWERS(answers, requests);
  int compared = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (answers[i].starts_with("skip")) continue;
    ++compared;
    EXPECT_EQ(ours[i], answers[i]) << requests[i];
  }
  EXPECT_GE(compared, 100);
}

}  // namespace
}  // namespace fovea
