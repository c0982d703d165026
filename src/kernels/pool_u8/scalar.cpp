#include <algorithm>
#include <cmath>

#include "kernels/pool_u8/windows.h"

namespace fovea::kernels {
namespace {

void finish(float r, int, float* y) { *y = r; }
void finish(float r, int zero_point, std::uint8_t* y) {
  const float limited = std::clamp(r, static_cast<float>(-zero_point), static_cast<float>(255 - zero_point));
  *y = static_cast<std::uint8_t>(static_cast<int>(std::nearbyint(limited)) + zero_point);
}

template <class Out>
void average(const AveragePoolU8Args& args, int row_begin, int row_end) {
  each_window<Out>(args, row_begin, row_end, [&](const AverageWindow& w, Out* y) {
    for (int c = args.channel_begin; c < args.channel_end; ++c) {
      std::int32_t sum = -w.zero_point_sum;
      each_tap(args.shape, args.x + c, w.iy, w.ix, w.rows, w.columns, [&](const std::uint8_t* p) { sum += *p; });
      finish(static_cast<float>(sum) * w.multiplier, args.y_zero_point, y + c);
    }
  });
}

}  // namespace

void average_u8_to_u8_scalar(const AveragePoolU8Args& args, int row_begin, int row_end) {
  average<std::uint8_t>(args, row_begin, row_end);
}
void average_u8_to_f32_scalar(const AveragePoolU8Args& args, int row_begin, int row_end) {
  average<float>(args, row_begin, row_end);
}

}  // namespace fovea::kernels
