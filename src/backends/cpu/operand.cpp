#include "backends/cpu/operand.h"

namespace fovea::cpu {

std::optional<kernels::Broadcast> broadcast_of(const Dims& small, const Dims& large, Layout layout) {
  using kernels::Operand;
  const std::int64_t count = element_count(small);
  if (small == large) return kernels::Broadcast{};
  if (count == 1) return kernels::Broadcast{Operand::kScalar};
  if (small.size() > large.size()) return std::nullopt;
  Dims s(large.size() - small.size(), 1);
  s.insert(s.end(), small.begin(), small.end());
  if (s == large) return kernels::Broadcast{};
  const std::size_t rank = large.size();
  const bool last_only = count == s[rank - 1] && s[rank - 1] == large[rank - 1];
  if (last_only && layout == Layout::kRowMajor) return kernels::Broadcast{Operand::kInner, large[rank - 1]};
  if (rank < 3 || s[1] != large[1] || element_count(Dims(s.begin() + 2, s.end())) != 1) return std::nullopt;
  if (s[0] != 1 && s[0] != large[0]) return std::nullopt;
  const std::int64_t channels = large[1], pixels = element_count(Dims(large.begin() + 2, large.end()));
  const bool each_image = s[0] == large[0] && s[0] > 1;
  if (layout == Layout::kChannelsLast)
    return kernels::Broadcast{Operand::kInner, channels, 1, each_image ? channels * pixels : INT64_MAX};
  return kernels::Broadcast{Operand::kOuter, pixels, each_image ? s[0] * channels : channels};
}

Verdict check_float(const Value& value) {
  if (value.type.dtype != DType::kF32 && value.type.dtype != DType::kBf16)
    return Verdict::no("computes in {}, kernels are for f32 and bf16", dtype_name(value.type.dtype));
  if (element_count(*value.type.shape.fixed()) == 0) return Verdict::no("empty result");
  return Verdict::yes();
}

}  // namespace fovea::cpu
