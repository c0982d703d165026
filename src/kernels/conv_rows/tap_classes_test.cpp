#include "kernels/conv_rows/tap_classes.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/rng.h"

namespace fovea::kernels {
namespace {

bool inside(const ConvAxis& axis, std::int64_t o, std::int64_t tap) {
  const std::int64_t i = o * axis.stride + tap * axis.dilation - axis.pad;
  return i >= 0 && i < axis.in;
}

ConvAxis random_axis(Rng& rng) {
  ConvAxis axis{};
  axis.in = 1 + static_cast<std::int64_t>(rng.below(9));
  axis.out = 1 + static_cast<std::int64_t>(rng.below(9));
  axis.kernel = 1 + static_cast<std::int64_t>(rng.below(6));
  axis.stride = 1 + static_cast<std::int64_t>(rng.below(3));
  axis.dilation = 1 + static_cast<std::int64_t>(rng.below(3));
  axis.pad = static_cast<std::int64_t>(rng.below(7));
  return axis;
}

TEST(TapClasses, IntervalsHaveExactlyTheirTaps) {
  Rng rng(1);
  for (int round = 0; round < 5000; ++round) {
    const ConvAxis axis = random_axis(rng);
    for (std::int64_t begin = 0; begin < axis.out;) {
      const AxisClass c = axis_class(axis, begin);
      ASSERT_EQ(c.begin, begin);
      ASSERT_GT(c.end, begin);
      ASSERT_LE(c.end, axis.out);
      for (std::int64_t o = c.begin; o < c.end; ++o)
        for (std::int64_t tap = 0; tap < axis.kernel; ++tap)
          ASSERT_EQ(inside(axis, o, tap), tap >= c.tap_begin && tap < c.tap_end) << "output " << o << " tap " << tap;
      begin = c.end;
    }
  }
}

struct Found {
  std::int64_t m, tap, address;
  auto operator<=>(const Found&) const = default;
};

// All (row, tap, address) that the groups of consecutive blocks list, over a batch of images, against the definition.
TEST(TapClasses, GroupsListEveryRowAndTapOnce) {
  Rng rng(2);
  for (int round = 0; round < 300; ++round) {
    const ConvAxis y = random_axis(rng), x = random_axis(rng);
    const std::int64_t images = 1 + static_cast<std::int64_t>(rng.below(4));
    const float origin = 0;
    struct {
      ConvRows<float> a;
      std::int64_t m = 0, c_stride = 0, residual_stride = 0;
    } p;
    p.c_stride = 10;
    p.residual_stride = 11;
    p.a.base = &origin;
    p.a.pixel_stride = 5;
    p.a.row_stride = 5 * x.in;
    p.a.image_stride = p.a.row_stride * y.in + 7;
    p.a.in_h = y.in, p.a.in_w = x.in, p.a.out_h = y.out, p.a.out_w = x.out;
    p.a.kernel_h = y.kernel, p.a.kernel_w = x.kernel, p.a.stride_h = y.stride, p.a.stride_w = x.stride;
    p.a.dilation_h = y.dilation, p.a.dilation_w = x.dilation, p.a.pad_top = y.pad, p.a.pad_left = x.pad;
    p.m = images * y.out * x.out;

    std::set<Found> expected;
    for (std::int64_t m = 0; m < p.m; ++m) {
      const std::int64_t ox = m % x.out, oy = m / x.out % y.out, image = m / (x.out * y.out);
      for (std::int64_t tap = 0; tap < y.kernel * x.kernel; ++tap) {
        const std::int64_t ky = tap / x.kernel, kx = tap % x.kernel;
        if (!inside(y, oy, ky) || !inside(x, ox, kx)) continue;
        const std::int64_t iy = oy * y.stride + ky * y.dilation - y.pad, ix = ox * x.stride + kx * x.dilation - x.pad;
        expected.insert({m, tap, image * p.a.image_stride + iy * p.a.row_stride + ix * p.a.pixel_stride});
      }
    }

    std::set<Found> found;
    std::vector<int> rows_seen(static_cast<std::size_t>(p.m), 0);
    PixelGroups<float> groups(p.a, p.c_stride, p.residual_stride);
    const std::int64_t step = 1 + static_cast<std::int64_t>(rng.below(20));
    const std::int64_t tap_step = 1 + static_cast<std::int64_t>(rng.below(10));
    for (std::int64_t m = 0; m < p.m; m += step) {
      for (std::int64_t t = 0; t < p.a.taps(); t += tap_step) {
        groups.start({m, std::min(m + step, p.m), t, std::min(t + tap_step, p.a.taps()), 2, 3});
        while (groups.next()) {
          for (const PixelGroup& group : groups) {
            for (std::int64_t i = 0; i < group.m; ++i) {
              const std::int64_t row = m + group.c_offsets[i] / p.c_stride;
              ASSERT_EQ(group.residual_offsets[i], (row - m) * p.residual_stride);
              if (t == 0) ++rows_seen[static_cast<std::size_t>(row)];
              for (std::int64_t j = 0; j < group.taps; ++j) {
                const std::int64_t address = groups.a() - p.a.base + group.a_offsets[j * group.m + i] - 2;
                ASSERT_TRUE(found.insert({row, group.tap_indices[j], address}).second) << "listed twice";
              }
            }
          }
        }
      }
    }
    EXPECT_TRUE(found == expected) << "round " << round;
    for (const int seen : rows_seen) EXPECT_EQ(seen, 1);
  }
}

}  // namespace
}  // namespace fovea::kernels
