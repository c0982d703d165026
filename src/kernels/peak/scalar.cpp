#include "kernels/peak/peak.h"

namespace fovea::kernels {

float peak_f32_scalar(std::int64_t iterations) {
  float sums[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  volatile float seed = 0.5f;
  const float a = seed, b = seed;
  for (std::int64_t i = 0; i < iterations; ++i) {
    for (float& s : sums) s = s * a + b;
  }
  float total = 0;
  for (float s : sums) total += s;
  return total;
}

}  // namespace fovea::kernels
