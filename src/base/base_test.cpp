#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "base/aligned_buffer.h"
#include "base/bf16.h"
#include "base/cpu_features.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/topology.h"

namespace fovea {
namespace {

Result<int> halve(int v) {
  if (v % 2) return bad_input("{} is odd", v);
  return v / 2;
}
Result<int> quarter(int v) {
  FOVEA_TRY(const int half, halve(v));
  auto result = halve(half);
  if (!result.ok()) return std::move(result).error().within("half").within("quarter");
  return result;
}
Status check(int v) {
  FOVEA_RETURN_IF_ERROR([&]() -> Status { return v < 0 ? Status(bad_input("negative")) : Status(); }());
  return {};
}

TEST(Result, ValuesAndErrorChains) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(3).error().text(), "3 is odd");
  EXPECT_EQ(quarter(6).error().text(), "quarter › half › 3 is odd");
  EXPECT_EQ(quarter(6).error().code(), ErrorCode::kBadInput);
  EXPECT_TRUE(check(1).ok());
  EXPECT_FALSE(check(-1).ok());
  EXPECT_THROW((void)quarter(3).value(), CheckFailure);
}

TEST(CpuFeatures, ForcedLevelsOnlyTakeAway) {
  const CpuFeatures cpu = detect_cpu();
  for (Isa isa :
       {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vbmi, Isa::kAvx512Vnni, Isa::kAvx512Bf16}) {
    const CpuFeatures cut = cpu.limited_to(isa);
    EXPECT_LE(static_cast<int>(cut.best()), static_cast<int>(isa));
    EXPECT_EQ(*parse_isa(isa_name(isa)), isa);
    if (cpu.has(isa)) {
      EXPECT_TRUE(cut.has(isa));
    }
  }
  EXPECT_FALSE(parse_isa("sse9"));
  EXPECT_FALSE(cpu.brand.empty());
}

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(Bf16(1.0f).bits, 0x3f80);
  EXPECT_EQ(Bf16(1.00390625f).bits, 0x3f80);  // halfway, the even one is below
  EXPECT_EQ(Bf16(1.01171875f).bits, 0x3f82);  // halfway, the even one is above
  EXPECT_TRUE(std::isnan(static_cast<float>(Bf16(std::nanf("")))));
  EXPECT_EQ(static_cast<float>(Bf16(std::numeric_limits<float>::infinity())), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isinf(static_cast<float>(Bf16(std::numeric_limits<float>::max()))));
}

TEST(Half, EveryBitPatternSurvivesTheRoundTrip) {
  for (int bits = 0; bits < 65536; ++bits) {
    Half h;
    h.bits = static_cast<std::uint16_t>(bits);
    const float f = static_cast<float>(h);
    if (std::isnan(f)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(Half(f))));
    } else {
      ASSERT_EQ(Half(f).bits, bits);
    }
  }
}

TEST(Half, RoundsAsTheHardwareDoes) {
  Rng rng(3);
  for (int i = 0; i < 100000; ++i) {
    const float f = rng.uniform(-1.0f, 1.0f) * std::exp2(rng.uniform(-30.0f, 18.0f));
    ASSERT_EQ(static_cast<float>(Half(f)), static_cast<float>(static_cast<_Float16>(f))) << f;
  }
}

TEST(AlignedBuffer, IsAligned) {
  for (std::size_t bytes : {1u, 63u, 64u, 65u, 5u << 20}) {
    AlignedBuffer b(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data()) % 64, 0u);
    EXPECT_EQ(b.size(), bytes);
  }
  EXPECT_EQ(AlignedBuffer().data(), nullptr);
  EXPECT_THROW(AlignedBuffer(SIZE_MAX - 8), std::bad_alloc);
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string path = testing::TempDir() + "sha256_test";
  std::ofstream(path) << "abc";
  EXPECT_EQ(*sha256_hex_of_file(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_FALSE(sha256_hex_of_file("/no/such/file").ok());
}

TEST(Rng, IsTheSameEverywhere) {
  Rng rng(0);
  EXPECT_EQ(rng.next(), 0xe220a8397b1dcdafull);  // SplitMix64's published first output for seed 0
}

TEST(Topology, HasAProcessorAndAThread) {
  const Topology t = detect_topology();
  EXPECT_GE(t.processors.size(), 1u);
  EXPECT_GE(t.usable_threads(), 1);
  EXPECT_LE(t.usable_threads(), static_cast<int>(t.processors.size()));
}

}  // namespace
}  // namespace fovea
