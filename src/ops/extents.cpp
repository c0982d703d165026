#include "ops/extents.h"

namespace fovea::ops {
namespace {

Error too_large() { return make_error(ErrorCode::kResource, "an extent exceeds 64 bits"); }

}  // namespace

Result<Dim> product(std::span<const Dim> dims) {
  Dims fixed;
  const Dim* open = nullptr;
  bool several = false, zero = false;
  for (const Dim& d : dims) {
    if (d.is_fixed()) {
      fixed.push_back(d.extent());
      zero |= d.extent() == 0;
    } else {
      several |= open != nullptr;
      open = &d;
    }
  }
  FOVEA_TRY(const std::int64_t count, checked_element_count(fixed));
  if (!open || zero) return Dim(count);
  return several || count != 1 ? Dim() : *open;
}

Result<Dim> plus(const Dim& a, std::int64_t b) {
  if (!a.is_fixed()) return b == 0 ? a : Dim();
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.extent(), b, &sum)) return too_large();
  if (sum < 0) return bad_input("an extent of {} plus {} is negative", a.extent(), b);
  return Dim(sum);
}

Result<Dim> times(const Dim& a, std::int64_t b) {
  FOVEA_CHECK(b >= 0);
  if (b == 0) return Dim(0);
  if (!a.is_fixed()) return b == 1 ? a : Dim();
  std::int64_t out = 0;
  if (__builtin_mul_overflow(a.extent(), b, &out)) return too_large();
  return Dim(out);
}

}  // namespace fovea::ops
