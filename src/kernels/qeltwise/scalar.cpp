#include <algorithm>
#include <cmath>

#include "kernels/qeltwise/qeltwise.h"

namespace fovea::kernels {
namespace {

std::int64_t operand_index(const Broadcast& how, std::int64_t i) {
  switch (how.kind) {
    case Operand::kSame:
      return i;
    case Operand::kScalar:
      return 0;
    case Operand::kInner:
      return i / how.block * how.inner + i % how.inner;
    case Operand::kOuter:
      return i / how.inner % how.outer;
  }
  return 0;
}

template <class Function>
void each(const QBinaryArgs& args, std::int64_t begin, std::int64_t end, Function function) {
  for (std::int64_t i = begin; i < end; ++i) {
    const auto a = static_cast<float>(args.a[i] - args.a_zero_point);
    const auto b = static_cast<float>(args.b[operand_index(args.broadcast, i)] - args.b_zero_point);
    const auto rounded = static_cast<std::int64_t>(std::nearbyint(function(a, b)));
    const auto limited = std::clamp<std::int64_t>(rounded + args.y_zero_point, 0, 255);
    args.y[i] = std::min(std::max(static_cast<std::uint8_t>(limited), args.lowest), args.highest);
  }
}

}  // namespace

void lookup_scalar(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                   std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) y[i] = table[x[i]];
}

void lookup_channels_scalar(const std::uint8_t* tables, int channels, const std::uint8_t* x, std::uint8_t* y,
                            std::int64_t count) {
  std::int64_t i = 0;
  for (; i + channels <= count; i += channels)
    for (int c = 0; c < channels; ++c) y[i + c] = tables[256 * c + x[i + c]];
  for (int c = 0; i < count; ++i, ++c) y[i] = tables[256 * c + x[i]];
}

void qadd_scalar(const QBinaryArgs& args, std::int64_t begin, std::int64_t end) {
  each(args, begin, end, [&](float a, float b) { return std::fma(a, args.a_multiplier, b * args.b_multiplier); });
}

void qmul_scalar(const QBinaryArgs& args, std::int64_t begin, std::int64_t end) {
  each(args, begin, end, [&](float a, float b) { return a * b * args.a_multiplier; });
}

}  // namespace fovea::kernels
