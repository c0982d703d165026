#include "quant/calibration_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fovea::quant {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class CalibrationList : public testing::Test {
 protected:
  CalibrationList() : folder_(fs::temp_directory_path() / fmt::format("fovea-list-{}", getpid())) {
    fs::create_directories(folder_);
  }
  ~CalibrationList() override { fs::remove_all(folder_); }
  Result<std::unique_ptr<Dataset>> open(const std::string& text) const {
    std::ofstream(folder_ / "list.txt", std::ios::binary) << text;
    return open_calibration_list(folder_ / "list.txt", folder_);
  }
  fs::path folder_;
};

TEST_F(CalibrationList, HoldsNamesWithAndWithoutLabels) {
  const auto opened = open(
      "# MLPerf's first list\nILSVRC2012_val_00027145.JPEG\n\nILSVRC2012_val_00000001.JPEG 65\r\nmy cat.jpg\nmy "
      "dog.jpg\t7\nimage 9a.png\n");
  const Dataset* set = opened->get();
  ASSERT_EQ(set->size(), 5);
  EXPECT_EQ(set->get(0).path, folder_ / "ILSVRC2012_val_00027145.JPEG");
  EXPECT_EQ(set->get(0).label, kNoLabel);
  EXPECT_EQ(set->get(1).path, folder_ / "ILSVRC2012_val_00000001.JPEG");
  EXPECT_EQ(set->get(1).label, 65);
  EXPECT_EQ(set->get(2).path, folder_ / "my cat.jpg");
  EXPECT_EQ(set->get(3).path, folder_ / "my dog.jpg");
  EXPECT_EQ(set->get(3).label, 7);
  EXPECT_EQ(set->get(4).path, folder_ / "image 9a.png");
}

TEST_F(CalibrationList, EmptyOnesAndFoldersThatAreMissingAreErrors) {
  EXPECT_THAT(open("# nothing\n\n").error().text(), HasSubstr("no file name"));
  EXPECT_THAT(open(std::string("a\0b", 3)).error().text(), HasSubstr("zero byte"));
  EXPECT_THAT(open_calibration_list(folder_ / "list.txt", folder_ / "none").error().text(),
              HasSubstr("no such folder"));
  EXPECT_FALSE(open_calibration_list(folder_ / "none.txt", folder_).ok());
}

}  // namespace
}  // namespace fovea::quant
