#include "kernels/convert/generic.h"
#include "kernels/vector_math_scalar.h"

FOVEA_CONVERT_KERNELS(Scalar, scalar)

namespace fovea::kernels {
void lookup_scalar(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t begin,
                   std::int64_t end) {
  lookup_bytes(table, x + begin, y + begin, end - begin);
}

}  // namespace fovea::kernels
