// For tests only: where the test data's models are, and the loads and runs that several tests share.
#pragma once

#include <cmath>
#include <filesystem>

#include "base/knobs.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "zoo/load_model.h"

namespace fovea {

// FOVEA_TEST_DATA, or shared/data beside the repository.
inline std::filesystem::path test_model_folder() {
  const std::filesystem::path data = knobs().test_data.empty()
                                         ? std::filesystem::path(FOVEA_SOURCE_DIR) / "../shared/data"
                                         : std::filesystem::path(knobs().test_data);
  return data / "models";
}

// sin(i / 1000) over the elements, row-major: the input of golden values.
inline Tensor sine_image(const Dims& dims) {
  Tensor image(DType::kF32, dims);
  const auto values = image.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.001));
  return image;
}

inline Result<std::vector<Tensor>> run_once(const Graph& graph, const Tensor& input) {
  FOVEA_TRY(auto plan, compile(graph, {}));
  Session session(plan, 1);
  return session.run({&input, 1});
}

}  // namespace fovea
