// calibrate: runs a network over the calibration images and says which ranges its tensors need.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>

#include "quant/calibrator.h"
#include "quant/placement.h"
#include "quant/tapped_network.h"

namespace fovea::quant {

struct CalibrationOptions {
  CalibratorOptions calibrator;
  EngineOptions engine;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  // after every image
  // Where an interrupted calibration leaves what it knows, and a later one with the same `identity` and method goes on;
  // empty: nowhere. Written every few seconds and when stopped, whole or not at all; the caller removes it in the end.
  std::filesystem::path state_file;
  std::string identity;  // of everything that must be the same: model, images, pre-processing
};

struct Calibration {
  std::map<std::string, Range> ranges;  // of the observed tensors, by name
  std::int64_t images = 0;              // that were observed
  std::int64_t resumed_at = 0;          // images taken over from an interrupted run
  std::string notice;                   // why a state file that was there could not be used; empty: it could
};

// One pass over the samples in fp32. Errors: interrupted (with the state kept), no sample at all, a tensor with a NaN
// or an infinity (names the node and the image). A state file that is damaged or of something else is no error: the
// calibration begins anew, with a notice.
Result<Calibration> calibrate(const Graph& graph, const Placement& placement, SampleSource& samples,
                              const CalibrationOptions& options);

// One range a group of the placement, of the ranges of its observed tensors. A group with a tensor whose name has no
// range is an error that lists what is missing.
Result<std::vector<Range>> group_ranges(const Graph& graph, const Placement& placement,
                                        const std::map<std::string, Range>& ranges);

// The ranges of all tensors of the placement, by name, those included that take their group's.
std::map<std::string, Range> tensor_ranges(const Graph& graph, const Placement& placement,
                                           const std::vector<Range>& ranges_of_groups);

}  // namespace fovea::quant
