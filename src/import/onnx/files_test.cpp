// Files as the importer finds them: compressed, external, truncated, and those that try to lead it elsewhere.
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "import/onnx/test_models.h"

namespace fovea::onnx_import {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// Plain gzip of some bytes.
std::string gzip(std::string_view bytes) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, bytes.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            fmt::format("fovea-import-{}", testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    folder_ = root_ / "model";
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& path, std::string_view bytes) const {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  // y = x + c, where c has four elements in an external file.
  onnx::ModelProto external(const std::string& location, const std::string& offset = "",
                            const std::string& length = "") const {
    auto model = model_of(
        13, fmt::format("input {{ {} }} output {{ name: 'y' }} node {{ op_type: 'Add' input: 'x' input: 'c' "
                        "output: 'y' }} initializer {{ name: 'c' dims: 4 data_type: 1 data_location: EXTERNAL }}",
                        port("x", {4})));
    auto& tensor = *model.mutable_graph()->mutable_initializer(0);
    const auto add = [&](const char* key, const std::string& value) {
      if (value.empty()) return;
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", location);
    add("offset", offset);
    add("length", length);
    return model;
  }
  Result<Graph> import(const onnx::ModelProto& model) const {
    write(folder_ / "m.onnx", model.SerializeAsString());
    return import_onnx(folder_ / "m.onnx");
  }
  std::string error(const onnx::ModelProto& model) const {
    const auto graph = import(model);
    return graph.ok() ? "accepted" : graph.error().text();
  }
  // Four floats, 1 2 3 4.
  static std::string weights() {
    const float values[] = {1, 2, 3, 4};
    return {reinterpret_cast<const char*>(values), sizeof values};
  }

  fs::path root_, folder_;
};

TEST_F(Files, MissingFoldersAndPipes) {
  EXPECT_THAT(import_onnx(folder_ / "none.onnx").error().text(), HasSubstr("none.onnx › cannot open: No such file"));
  EXPECT_THAT(import_onnx(folder_).error().text(), HasSubstr("expected a regular file, found a folder"));
  ASSERT_EQ(mkfifo((folder_ / "pipe.onnx").c_str(), 0600), 0);
  EXPECT_THAT(import_onnx(folder_ / "pipe.onnx").error().text(), HasSubstr("found a pipe"));
  write(folder_ / "empty.onnx", "");
  EXPECT_THAT(import_onnx(folder_ / "empty.onnx").error().text(), HasSubstr("the file is empty"));
}

TEST_F(Files, TruncatedFiles) {
  auto model = external("w.bin");
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.clear_data_location();
  tensor.clear_external_data();
  tensor.clear_dims();
  tensor.add_dims(100'000);
  tensor.set_raw_data(std::string(400'000, 'w'));
  const std::string bytes = model.SerializeAsString();
  for (const std::size_t n : {std::size_t{10}, std::size_t{5'000}, std::size_t{300'000}, bytes.size() - 1}) {
    write(folder_ / "cut.onnx", bytes.substr(0, n));
    EXPECT_THAT(import_onnx(folder_ / "cut.onnx").error().text(), HasSubstr("not a readable ONNX message")) << n;
  }
}

TEST_F(Files, FilesAboveTwoGibibytesSayWhatToDo) {
  write(folder_ / "huge.onnx", "\x08\x07");
  fs::resize_file(folder_ / "huge.onnx", std::uintmax_t{3} << 30);  // a hole: takes no space
  EXPECT_THAT(import_onnx(folder_ / "huge.onnx").error().text(), HasSubstr("keep the weights in external files"));
}

TEST_F(Files, CompressedByContentNotByName) {
  write(folder_ / "w.bin", weights());
  const std::string bytes = gzip(external("w.bin").SerializeAsString());
  for (const char* name : {"m.onnx.gz", "m.onnx"}) {
    write(folder_ / name, bytes);
    const auto graph = import_onnx(folder_ / name);
    ASSERT_TRUE(graph.ok()) << graph.error().text();
  }
}

TEST_F(Files, DamagedCompressedFiles) {
  write(folder_ / "w.bin", weights());
  const std::string bytes = gzip(external("w.bin").SerializeAsString());
  write(folder_ / "m.onnx.gz", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(import_onnx(folder_ / "m.onnx.gz").error().text(), HasSubstr("gzip: the file ends early"));
  std::string damaged = bytes;
  damaged[bytes.size() - 6] = static_cast<char>(damaged[bytes.size() - 6] ^ 1);  // the checksum
  write(folder_ / "m.onnx.gz", damaged);
  EXPECT_THAT(import_onnx(folder_ / "m.onnx.gz").error().text(), HasSubstr("gzip: incorrect data check"));
  write(folder_ / "m.onnx.gz", bytes + "trailing");
  EXPECT_THAT(import_onnx(folder_ / "m.onnx.gz").error().text(), HasSubstr("gzip: incorrect header check"));
  write(folder_ / "m.onnx.gz", "\x1f\x8b");
  EXPECT_THAT(import_onnx(folder_ / "m.onnx.gz").error().text(), HasSubstr("gzip: the file ends early"));
}

TEST_F(Files, CompressionBombs) {
  const std::string zeros(64 << 20, '\0');
  const std::string bomb = gzip(zeros + std::string(1 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  write(folder_ / "bomb.onnx.gz", bomb);
  const auto graph = import_onnx(folder_ / "bomb.onnx.gz");
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code(), ErrorCode::kResource);
  EXPECT_THAT(graph.error().text(), HasSubstr("inflate to more than the 67108864 bytes allowed"));
  // The trailer's claim of the inflated size is not believed.
  std::string liar = gzip("x");
  std::memset(liar.data() + liar.size() - 4, 0xff, 4);
  write(folder_ / "liar.onnx.gz", liar);
  EXPECT_FALSE(import_onnx(folder_ / "liar.onnx.gz").ok());
}

TEST_F(Files, ExternalDataIsMapped) {
  write(folder_ / "w.bin", std::string(8, '\0') + weights());
  const auto graph = import(external("w.bin", "8", "16"));
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  EXPECT_EQ(graph->value(graph->node(0).inputs[1]).constant->to_floats(), (std::vector<float>{1, 2, 3, 4}));
  fs::create_directory(folder_ / "data");
  write(folder_ / "data" / "w.bin", weights());
  EXPECT_TRUE(import(external("data/w.bin")).ok());
  EXPECT_TRUE(import(external("./data/w.bin")).ok());
}

TEST_F(Files, LargeExternalDataIsNotCopiedAndMayBeMisaligned) {
  std::string bytes(4 * 1000 + 1, '\0');
  const float value = 7;
  for (std::size_t i = 0; i < 1000; ++i) std::memcpy(bytes.data() + 1 + 4 * i, &value, sizeof value);
  write(folder_ / "w.bin", bytes);
  for (const char* offset : {"0", "1"}) {
    auto model = external("w.bin", offset);
    model.mutable_graph()->mutable_initializer(0)->set_dims(0, 1000);
    model.mutable_graph()
        ->mutable_input(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(0)
        ->set_dim_value(1000);
    const auto graph = import(model);
    ASSERT_TRUE(graph.ok()) << graph.error().text();
    const Tensor& c = *graph->value(graph->node(0).inputs[1]).constant;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(c.raw()) % alignof(float), 0u);
    if (offset[0] == '1') {
      EXPECT_EQ(c.as<float>()[999], 7.0f);
    }
  }
}

TEST_F(Files, ExternalPathsStayInTheFolder) {
  write(root_ / "secret.bin", weights());
  write(folder_ / "w.bin", weights());
  fs::create_directory(folder_ / "a");
  EXPECT_THAT(error(external("../secret.bin")), HasSubstr("location '../secret.bin' leaves the model's folder"));
  EXPECT_THAT(error(external("a/../../secret.bin")), HasSubstr("leaves the model's folder"));
  EXPECT_THAT(error(external("a/../w.bin")), HasSubstr("leaves the model's folder"));
  EXPECT_THAT(error(external((root_ / "secret.bin").string())),
              HasSubstr("expected a path relative to the model's folder"));
  EXPECT_THAT(error(external(std::string("w.bin\0.txt", 10))), HasSubstr("holds a NUL character"));
  EXPECT_THAT(error(external("")), HasSubstr("no location is given"));
  EXPECT_THAT(error(external("none.bin")), HasSubstr("cannot open 'none.bin': No such file"));
  EXPECT_THAT(error(external("a")), HasSubstr("expected a regular file, found a folder"));
}

TEST_F(Files, ExternalLinksAreRefused) {
  write(root_ / "secret.bin", weights());
  fs::create_symlink(root_ / "secret.bin", folder_ / "link.bin");
  EXPECT_THAT(error(external("link.bin")), HasSubstr("a part of it is a symbolic link"));
  fs::create_directory_symlink(root_, folder_ / "up");
  EXPECT_THAT(error(external("up/secret.bin")), HasSubstr("a part of it is a symbolic link"));
  fs::create_hard_link(root_ / "secret.bin", folder_ / "hard.bin");
  EXPECT_THAT(error(external("hard.bin")), HasSubstr("found one with 2 hard links"));
  ASSERT_EQ(mkfifo((folder_ / "pipe.bin").c_str(), 0600), 0);
  EXPECT_THAT(error(external("pipe.bin")), HasSubstr("expected a regular file, found a pipe"));
}

TEST_F(Files, ExternalRangesDoNotWrap) {
  write(folder_ / "w.bin", weights());
  EXPECT_THAT(error(external("w.bin", "9223372036854775800", "16")),
              HasSubstr("too few for 16 at offset 9223372036854775800"));
  EXPECT_THAT(error(external("w.bin", "18446744073709551608")),
              HasSubstr("offset: expected a number from 0 to 2^63-1"));
  EXPECT_THAT(error(external("w.bin", "-8")), HasSubstr("offset: expected a number"));
  EXPECT_THAT(error(external("w.bin", "8")), HasSubstr("has 16 bytes, too few for 16 at offset 8"));
  EXPECT_THAT(error(external("w.bin", "0", "12")), HasSubstr("expected a length of 16 bytes, found 12"));
  EXPECT_THAT(error(external("w.bin", "0x0")), HasSubstr("offset: expected a number"));
  write(folder_ / "w.bin", "");
  EXPECT_THAT(error(external("w.bin")), HasSubstr("has 0 bytes, too few"));
}

}  // namespace
}  // namespace fovea::onnx_import
