#include "kernels/reorder/reorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

class Reorder : public testing::TestWithParam<ReorderKernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }

  template <class T>
  void check(ReorderFunction to_nhwc, ReorderFunction to_nchw, std::int64_t channels, std::int64_t pixels,
             std::int64_t gap) {
    SCOPED_TRACE(testing::Message() << channels << " channels, " << pixels << " pixels of " << sizeof(T)
                                    << " bytes, gap " << gap);
    const std::int64_t plane = pixels + gap, pixel = channels + gap;
    GuardedBuffer<T> nchw((channels - 1) * plane + pixels), nhwc((pixels - 1) * pixel + channels), back(nchw.size());
    for (std::size_t i = 0; i < nchw.size(); ++i) nchw[i] = static_cast<T>(i * 2654435761u + i / 251);
    for (T& v : nhwc) v = 77;
    for (T& v : back) v = 77;
    const std::int64_t middle = pixels / 3;
    const ReorderArgs there{channels, pixels, nchw.data(), gap ? plane : 0, nhwc.data(), gap ? pixel : 0};
    to_nhwc(there, 0, middle);
    to_nhwc(there, middle, pixels);
    const ReorderArgs again{channels, pixels, nhwc.data(), gap ? pixel : 0, back.data(), gap ? plane : 0};
    to_nchw(again, 0, middle);
    to_nchw(again, middle, pixels);
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < plane; ++p) {
        const std::int64_t at = c * plane + p;
        if (at >= static_cast<std::int64_t>(nchw.size())) continue;
        if (p >= pixels) {
          ASSERT_EQ(back[at], T{77}) << "wrote between rows";
          continue;
        }
        ASSERT_EQ(nhwc[p * pixel + c], nchw[at]) << "channel " << c << ", pixel " << p;
        ASSERT_EQ(back[at], nchw[at]) << "channel " << c << ", pixel " << p;
      }
  }
};

TEST_P(Reorder, ThereAndBack) {
  const ReorderKernels& k = GetParam();
  for (const int channels : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 33, 64})
    for (const int pixels : {1, 3, 4, 7, 8, 9, 15, 16, 17, 49, 65, 97})
      for (const int gap : {0, 5}) {
        check<std::uint8_t>(k.nchw_to_nhwc_8, k.nhwc_to_nchw_8, channels, pixels, gap);
        check<std::uint16_t>(k.nchw_to_nhwc_16, k.nhwc_to_nchw_16, channels, pixels, gap);
        check<std::uint32_t>(k.nchw_to_nhwc_32, k.nhwc_to_nchw_32, channels, pixels, gap);
      }
}

TEST_P(Reorder, CopyRows) {
  for (const int bytes : {1, 3, 31, 32, 33, 63, 64, 65, 96, 100, 128, 1000, 4096, 5000})
    for (const int gap : {0, 7}) {
      constexpr int kRows = 5;
      const std::int64_t stride = bytes + gap, size = (kRows - 1) * stride + bytes;
      GuardedBuffer<std::uint8_t> x(kRows * bytes), y(size);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i * 7 + i / 256 + 1);
      for (auto& v : y) v = 200;
      const CopyRowsArgs args{bytes, x.data(), bytes, y.data(), stride};
      GetParam().copy_rows(args, 0, 2);
      GetParam().copy_rows(args, 2, kRows);
      for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t row = i / stride, at = i % stride;
        ASSERT_EQ(y[i], at < bytes ? x[row * bytes + at] : 200) << bytes << " bytes, gap " << gap << ", byte " << i;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Rows, Reorder, testing::ValuesIn(reorder_kernels().begin(), reorder_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fovea::kernels
