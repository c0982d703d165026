#include "kernels/pool/generic.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {
namespace {

template <class T, int kLowest>
struct IntegerMax {
  using Element = T;
  using Vector = T;
  struct Tail {};
  static constexpr int N = 1;
  static Tail tail(std::int64_t) { return {}; }
  static Vector lowest() { return kLowest; }
  static Vector load(const T* p) { return *p; }
  static Vector load(const T* p, Tail) { return *p; }
  static void store(T* p, Vector x) { *p = x; }
  static void store(T* p, Vector x, Tail) { *p = x; }
  static Vector max(Vector x, Vector best) { return x > best ? x : best; }
};
using MaxU8 = IntegerMax<std::uint8_t, 0>;
using MaxS8 = IntegerMax<std::int8_t, -128>;

}  // namespace
}  // namespace fovea::kernels

FOVEA_POOL_KERNELS(Scalar, MaxU8, MaxS8, scalar)
