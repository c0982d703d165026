// TensorRT's calibration cache: the text file in which it keeps the scales of a network's tensors.
//
//   TRT-7203-EntropyCalibration2
//   input: 3caa54fc
//
// A version and the calibrator's name, then one line a tensor: its name and the IEEE 754 bits of its float32 scale,
// big-endian, in hex. The tensor's range is [-127, 127] times the scale. Caches of the legacy calibrator have a line
// behind the first with its settings, "0 3ff0000000000000 3fefffb8b26394fb": their quantile and cutoff.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quant/placement.h"
#include "quant/range.h"

namespace fovea::quant {

struct TensorRtCache {
  std::string header = "TRT-7203-EntropyCalibration2";
  std::map<std::string, float> scales;  // none negative, NaN or infinite; 0 stands for a tensor without a range
};

// Errors name the line and what was expected there: no header, no colon, no hex number of at most 8 digits, a negative
// scale, the same tensor with two scales, no tensor at all.
Result<TensorRtCache> parse_tensorrt_cache(std::string_view text);
Result<TensorRtCache> read_tensorrt_cache(const std::filesystem::path& path);  // at most 64 MiB

// Sorted by name.
std::string to_text(const TensorRtCache& cache);

// Ranges of the placement's tensors, [-127, 127] times the cache's scale, as far as it knows them by their name or
// their original one. A scale of 0 is an error: the cache says that the tensor has no range.
Result<std::map<std::string, Range>> ranges_for(const Graph& graph, const Placement& placement,
                                                const std::map<std::string, std::string>& original_names,
                                                const TensorRtCache& cache);

// The cache of ranges, under the original names: the scale is the larger magnitude divided by 127.
TensorRtCache cache_of(const std::map<std::string, Range>& ranges,
                       const std::map<std::string, std::string>& original_names, std::string header);

}  // namespace fovea::quant
