#include "import/torch/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/rng.h"
#include "import/torch/crafted_bytes.h"

namespace fovea::torch_import {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kTestData = FOVEA_SOURCE_DIR "/src/import/torch/testdata/";

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
std::string error_of(const std::string& bytes) {
  const auto checkpoint = parse_torch_checkpoint(as_bytes(bytes));
  return checkpoint.ok() ? "no error" : checkpoint.error().text();
}
std::string floats(std::initializer_list<float> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(float)};
}

// Both files hold the same dict, written by PyTorch 1.13: an epoch, a nested state_dict with views that share storage,
// every element type, an empty tensor and a parameter.
class RealFiles : public testing::TestWithParam<const char*> {};

TEST_P(RealFiles, AllTensorsInOrder) {
  const auto checkpoint = read_torch_checkpoint(kTestData + GetParam());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().text();
  std::vector<std::string> names;
  for (const auto& entry : checkpoint->tensors()) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("state_dict.conv.weight", "state_dict.conv.transposed", "state_dict.conv.column",
                                 "state_dict.bn.count", "state_dict.half", "state_dict.brain", "state_dict.bytes",
                                 "state_dict.small", "state_dict.mask", "state_dict.double", "state_dict.empty",
                                 "state_dict.param", "list.0"));
  const auto expect = [&](const std::string& name, DType dtype, const Dims& dims, const std::vector<float>& values) {
    const Tensor* tensor = checkpoint->find(name);
    ASSERT_NE(tensor, nullptr) << name;
    EXPECT_EQ(tensor->dtype(), dtype) << name;
    EXPECT_EQ(tensor->dims(), dims) << name;
    EXPECT_EQ(tensor->to_floats(), values) << name;
  };
  expect("state_dict.conv.weight", DType::kF32, {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  expect("state_dict.conv.transposed", DType::kF32, {4, 3}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  expect("state_dict.conv.column", DType::kF32, {3}, {1, 5, 9});
  expect("state_dict.bn.count", DType::kS64, {}, {7});
  expect("state_dict.half", DType::kF16, {2}, {1.5f, -2});
  expect("state_dict.brain", DType::kBf16, {2}, {1.5f, -3});
  expect("state_dict.bytes", DType::kU8, {2}, {1, 255});
  expect("state_dict.small", DType::kS8, {2}, {-1, 127});
  expect("state_dict.mask", DType::kBool, {2}, {1, 0});
  expect("state_dict.double", DType::kF64, {1}, {0.1f});
  expect("state_dict.empty", DType::kF32, {0, 3}, {});
  expect("state_dict.param", DType::kF32, {2}, {2, 4});
  expect("list.0", DType::kS32, {1}, {9});
  EXPECT_EQ(checkpoint->find("epoch"), nullptr);
  EXPECT_GT(checkpoint->skipped_values, 0);
}

TEST_P(RealFiles, EveryTruncationIsAnError) {
  const std::string whole = file_bytes(kTestData + GetParam());
  ASSERT_FALSE(whole.empty());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(parse_torch_checkpoint(as_bytes(whole.substr(0, length))).ok()) << length;
}

// Flips, overwrites, cuts and repeats bytes; whatever comes out must be a checkpoint or an error. Run under the
// sanitizers, this is what shows that no mutant reads outside its bytes.
TEST_P(RealFiles, MutantsNeverCrash) {
  const std::string whole = file_bytes(kTestData + GetParam());
  ASSERT_FALSE(whole.empty());
  constexpr char kInteresting[] = {'\x00', '\x01', '\x7f', '\x80', '\xff', 'R', 'c', 'Q', 'u', 't', '(', '.', 'b', 'j'};
  int errors = 0;
  constexpr int kMutants = 600;
  for (int seed = 0; seed < kMutants; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed) + 1);
    std::string mutant = whole;
    const auto edits = 1 + rng.below(6);
    for (std::uint64_t i = 0; i < edits; ++i) {
      const std::size_t at = rng.below(mutant.size());
      switch (rng.below(5)) {
        case 0:
          mutant[at] = static_cast<char>(mutant[at] ^ (1 << rng.below(8)));
          break;
        case 1:
          mutant[at] = kInteresting[rng.below(sizeof(kInteresting))];
          break;
        case 2:
          mutant.erase(at, 1 + rng.below(8));
          break;
        case 3:
          mutant.insert(at, mutant.substr(at, 1 + rng.below(16)));
          break;
        default:
          mutant.resize(std::max<std::size_t>(at, 1));
          break;
      }
    }
    const auto checkpoint = parse_torch_checkpoint(as_bytes(mutant));
    if (!checkpoint.ok()) {
      ++errors;
      EXPECT_FALSE(checkpoint.error().text().empty());
    }
  }
  EXPECT_GT(errors, kMutants / 2) << "most mutants must be noticed";
}

INSTANTIATE_TEST_SUITE_P(Torch, RealFiles, testing::Values("zip_format.pt", "legacy_format.pth"),
                         [](const auto& info) { return std::string(info.param).substr(0, 3); });

TEST(TorchCheckpoint, MissingFileIsNamed) {
  const auto checkpoint = read_torch_checkpoint("/nonexistent/x.pth");
  ASSERT_FALSE(checkpoint.ok());
  EXPECT_THAT(checkpoint.error().text(), HasSubstr("reading checkpoint /nonexistent/x.pth › No such file"));
}

TEST(TorchCheckpoint, OtherFilesAreRefused) {
  EXPECT_THAT(error_of(""), HasSubstr("neither a zip archive nor a pickle"));
  EXPECT_THAT(error_of("\x89PNG...."), HasSubstr("neither a zip archive nor a pickle"));
  EXPECT_THAT(error_of(kProto + "N."), HasSubstr("without PyTorch's magic number"));
  EXPECT_THAT(error_of(zip_file({{"a.txt", "hello"}})), HasSubstr("without data.pkl"));
  EXPECT_THAT(error_of(zip_file({{"m/data.pkl", kProto + "}."}, {"m/constants.pkl", ""}})), HasSubstr("TorchScript"));
}

// A payload that would create a file if anything in it were executed.
TEST(TorchCheckpoint, NothingIsExecuted) {
  const std::string trace = testing::TempDir() + "/fovea_executed_" + std::to_string(std::rand());
  const std::string command = "touch " + trace;
  const std::string payloads[] = {
      kProto + "cos\nsystem\n(" + text(command) + "tR.",
      kProto + "cbuiltins\neval\n(" + text("__import__('os').system('" + command + "')") + "tR.",
      kProto + "csubprocess\nPopen\n(" + text(command) + "\x88tR.",
      dict_of(global("posix", "system") + "(" + text(command) + "tR"),
      dict_of(global("torch._utils", "_rebuild_tensor_v2") + "(cos\nsystem\n(" + text(command) + "tR" + "tR"),
      dict_of("(" + text("storage") + "cos\nsystem\n(" + text(command) + "tRtQ"),
  };
  for (const std::string& payload : payloads) {
    EXPECT_THAT(error_of(legacy_file(payload, {})), HasSubstr("is not allowed in a checkpoint"));
    EXPECT_THAT(error_of(zip_file({{"m/data.pkl", payload}})), HasSubstr("is not allowed in a checkpoint"));
  }
  EXPECT_FALSE(std::ifstream(trace).good()) << "a payload ran";
}

TEST(TorchCheckpoint, StridesAreChecked) {
  const auto legacy = [](std::int64_t offset, const std::vector<std::int64_t>& dims,
                         const std::vector<std::int64_t>& strides) {
    return legacy_file(dict_of(tensor(storage("FloatStorage", "0", 4), offset, dims, strides)),
                       {{"0", 4, floats({1, 2, 3, 4})}});
  };
  ASSERT_EQ(error_of(legacy(0, {2, 2}, {1, 2})), "no error");
  EXPECT_THAT(error_of(legacy(0, {2, 2}, {3, 1})), HasSubstr("tensor 'w' › element 4 lies outside storage '0'"));
  EXPECT_THAT(error_of(legacy(1, {4}, {1})), HasSubstr("outside storage"));
  EXPECT_THAT(error_of(legacy(INT64_MAX, {2}, {1})), HasSubstr("overflows"));
  EXPECT_THAT(error_of(legacy(0, {1 << 16, 2}, {INT64_MAX / 4, 1})), HasSubstr("overflows"));
  EXPECT_THAT(error_of(legacy(-1, {2}, {1})), HasSubstr("storage offset -1 is negative"));
  EXPECT_THAT(error_of(legacy(0, {2}, {-1})), HasSubstr("stride: expected whole numbers, not negative"));
  EXPECT_THAT(error_of(legacy(0, {-2}, {1})), HasSubstr("size: expected whole numbers"));
  EXPECT_THAT(error_of(legacy(0, {2, 2}, {1})), HasSubstr("2 extents, but 1 strides"));
  EXPECT_THAT(error_of(legacy(0, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1})), HasSubstr("9 axes"));
  EXPECT_THAT(error_of(legacy(0, {INT64_MAX, INT64_MAX}, {0, 0})), HasSubstr("tensor 'w'"));
  EXPECT_THAT(error_of(legacy(0, {1 << 30}, {0})), HasSubstr("far more memory than the file"));
  EXPECT_EQ(error_of(legacy(100, {0}, {1})), "no error") << "an empty tensor touches nothing";
}

TEST(TorchCheckpoint, ExpandedTensorsAreMaterialised) {
  const auto checkpoint = parse_torch_checkpoint(as_bytes(
      legacy_file(dict_of(tensor(storage("FloatStorage", "0", 2), 0, {3, 2}, {0, 1})), {{"0", 2, floats({5, 6})}})));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().text();
  EXPECT_EQ(checkpoint->find("w")->to_floats(), (std::vector<float>{5, 6, 5, 6, 5, 6}));
}

TEST(TorchCheckpoint, LegacyStorageErrors) {
  const std::string state = dict_of(tensor(storage("FloatStorage", "0", 2), 0, {2}, {1}));
  EXPECT_THAT(error_of(legacy_file(state, {})), HasSubstr("storage '0' is missing"));
  EXPECT_THAT(error_of(legacy_file(state, {{"0", 3, floats({1, 2, 3})}})), HasSubstr("3 elements stored, 2 described"));
  EXPECT_THAT(error_of(legacy_file(state, {{"0", 2, floats({1})}})), HasSubstr("only 4 bytes are left"));
  EXPECT_THAT(error_of(legacy_file(state, {{"1", 2, floats({1, 2})}})), HasSubstr("'1' belongs to no tensor"));
  EXPECT_THAT(error_of(legacy_file(state, {{"0", 2, floats({1, 2})}, {"0", 2, floats({1, 2})}})),
              HasSubstr("'0' appears twice"));
  const std::string huge = dict_of(tensor(storage("FloatStorage", "0", INT64_MAX), 0, {2}, {1}));
  EXPECT_THAT(error_of(legacy_file(huge, {{"0", INT64_MAX, ""}})), HasSubstr("only 0 bytes are left"));
}

TEST(TorchCheckpoint, StateErrors) {
  const auto state = [](const std::string& value) { return error_of(legacy_file(dict_of(value), {})); };
  const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
  EXPECT_THAT(state(rebuild + ")R"), HasSubstr("tensor 'w' › a rebuild call without arguments"));
  EXPECT_THAT(state(rebuild + "(NtR"), HasSubstr("storage: expected a persistent id, found a None"));
  EXPECT_THAT(state(rebuild + "(" + text("x") + "QtR"), HasSubstr("persistent id: expected a tuple"));
  EXPECT_THAT(state(rebuild + "(" + storage("FloatStorage", "0", -4) + "tR"), HasSubstr("storage '0' of -4 elements"));
  EXPECT_THAT(state(rebuild + "(" + storage("float32", "0", 4) + "tR"), HasSubstr("is not a storage type"));
  EXPECT_THAT(state(rebuild + "(" + storage("UntypedStorage", "0", 4) + integer(0) + tuple({1}) + tuple({1}) + "tR"),
              HasSubstr("untyped storage"));
  EXPECT_THAT(state(global("torch", "ComplexFloatStorage")), HasSubstr("'torch.ComplexFloatStorage' is not allowed"));
  EXPECT_THAT(state(global("torch._utils", "_rebuild_parameter") + "(NtR"), HasSubstr("expected a call, found a None"));
  EXPECT_THAT(error_of(legacy_file(kProto + "}N" + integer(1) + "s.", {})), HasSubstr("a key of '' is a None"));
}

TEST(TorchCheckpoint, SharingBombsAreBounded) {
  // d0 = {}; d(i+1) = {"a": d(i), "b": d(i)}: 2^40 paths.
  std::string doubling = kProto + "}q\x01";
  for (int i = 0; i < 40; ++i) doubling += "0}(" + text("a") + "h\x01" + text("b") + "h\x01" + "uq\x01";
  EXPECT_THAT(error_of(legacy_file(doubling + ".", {})), HasSubstr("nested deeper than 16"));
  // The same, wide instead of deep: 1,000 uses of a tuple of 1,000 uses of a tuple of 1,000 nothings.
  std::string wide = kProto + "(" + std::string(1000, 'N') + "tq\x01";
  for (int level = 0; level < 2; ++level) {
    wide += "0(";
    for (int i = 0; i < 1000; ++i) wide += "h\x01";
    wide += "tq\x01";
  }
  EXPECT_THAT(error_of(legacy_file(wide + ".", {})), HasSubstr("more than 1000000 values"));
  // A dict that contains itself.
  EXPECT_THAT(error_of(legacy_file(kProto + "}q\x01" + text("me") + "h\x01s.", {})),
              HasSubstr("nested deeper than 16"));
  // One large storage viewed over and over.
  std::string views = kProto + "}(";
  for (int i = 0; i < 60; ++i)
    views += text("w" + std::to_string(i)) + tensor(storage("FloatStorage", "0", 1 << 18), 0, {1 << 18}, {1});
  EXPECT_THAT(error_of(legacy_file(views + "u.", {{"0", 1 << 18, std::string(1 << 20, '\0')}})),
              HasSubstr("far more memory than the file"));
}

TEST(TorchCheckpoint, DuplicateNamesAreAnError) {
  const std::string one = text("w") + tensor(storage("FloatStorage", "0", 1), 0, {1}, {1});
  EXPECT_THAT(error_of(legacy_file(kProto + "}(" + one + one + "u.", {{"0", 1, floats({1})}})),
              HasSubstr("tensor 'w' appears twice"));
}

TEST(TorchCheckpoint, UntypedStorageWithDtype) {
  const std::string untyped =
      "(" + text("storage") + global("torch.storage", "UntypedStorage") + text("0") + text("cpu") + integer(8) + "tQ";
  const std::string value = global("torch._utils", "_rebuild_tensor_v3") + "(" + untyped + integer(1) + tuple({3}) +
                            tuple({1}) + "\x89N" + global("torch", "uint16") + "tR";
  const std::string content = le(10, 2) + le(20, 2) + le(30, 2) + le(65535, 2);
  const auto checkpoint =
      parse_torch_checkpoint(as_bytes(zip_file({{"m/data.pkl", dict_of(value)}, {"m/data/0", content}})));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().text();
  EXPECT_EQ(checkpoint->find("w")->dtype(), DType::kU16);
  EXPECT_EQ(checkpoint->find("w")->to_floats(), (std::vector<float>{20, 30, 65535}));
}

TEST(TorchCheckpoint, ZipErrors) {
  const std::string state = dict_of(tensor(storage("FloatStorage", "0", 2), 0, {2}, {1}));
  const std::string good = zip_file({{"m/data.pkl", state}, {"m/data/0", floats({1, 2})}});
  ASSERT_EQ(error_of(good), "no error");
  EXPECT_THAT(error_of(zip_file({{"m/data.pkl", state}})), HasSubstr("no entry 'm/data/0'"));
  EXPECT_THAT(error_of(zip_file({{"m/data.pkl", state}, {"m/data/0", floats({1})}})),
              HasSubstr("storage '0': 4 bytes stored, 2 f32 elements described"));
  EXPECT_THAT(error_of(zip_file({{"m/data.pkl", state}, {"m/data/0", floats({1, 2}), 8}})),
              HasSubstr("compressed (method 8)"));
  EXPECT_THAT(error_of(zip_file({{"m/data.pkl", state}, {"m/data/0", ""}, {"m/data/0", ""}})),
              HasSubstr("'m/data/0' appears twice"));
  EXPECT_THAT(error_of(zip_file({{"m/data.pkl", state}, {"m/byteorder", "big"}})), HasSubstr("big-endian"));
  std::string damaged = good;
  damaged[damaged.find(floats({1, 2})) + 2] ^= 1;
  EXPECT_THAT(error_of(damaged), HasSubstr("checksum recorded as"));
  std::string moved = good;
  moved.replace(moved.size() - 6, 4, le(0xfffffff0, 4));
  EXPECT_THAT(error_of(moved), HasSubstr("lies outside the file"));
  std::string many = good;
  many.replace(many.size() - 12, 2, le(60000, 2));
  EXPECT_THAT(error_of(many), HasSubstr("60000 entries"));
}

}  // namespace
}  // namespace fovea::torch_import
