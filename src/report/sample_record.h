// A small record with every part filled in, for the tests of this folder.
#pragma once

#include "report/run_record.h"

namespace fovea {

inline RunRecord sample_record() {
  RunRecord r = start_run_record(RunKind::kLaunch, {"fovea", "launch", "--model-name", "resnet50"});
  r.name = "test_resnet50_inference_throughput";
  r.settings = {{"zeta", "first"}, {"batch-size", "16"}, {"alpha", "last"}};
  r.model = {"resnet50", "/models/resnet50.onnx", "ab12", "int8", false, 4.1e9};
  r.data = {"imagenet", "/data/val", "cd34", 1000};
  r.batch = 16;
  r.threads_per_instance = 4;
  const LatencySummary latency{1000, 10.2, 9.5, 14, 10, 11, 12.5, std::nullopt, 9.9, 10.1, 0.03};
  r.instances = {{0, {0, 1}, 0, InstanceState::kFinished, 0, 8000, 5.1, 1568, latency, {9.9, 10.0, 10.1}},
                 {1, {2, 3}, 0, InstanceState::kDied, -9, 800, 0.5, 1600, latency, {}}};
  r.images = 8800;
  r.seconds = 5.1;
  r.images_per_s = 3100;
  r.percent_of_peak = 61.5;
  r.latency_ms = latency;
  r.accuracy = RunAccuracy{74.6, 92.8, 1000, 1, 2, {{"/data/val/a.jpg", 3, 7, "tiger shark", "cock", 0.81}}};
  r.layers = {{"conv1", "Conv", "direct", 0.9, 1.2e8, 3e6, 71, "compute"},
              {"pool", "MaxPool", "pool", 0.1, 0, 2e6, 40, "DRAM"}};
  r.peak = RunPeak{2, 150, 300, 600, 22, 200};
  r.noise = {NoiseState::kNoisy, {"other processes took 12 %"}, 0.5, 10, 20, 2600.0, 2599.0, -1.5, 12.0, 0};
  r.memory = {300 << 20, 26 << 20, 12 << 20};
  r.energy = {std::nullopt, std::nullopt, "no RAPL domain"};
  mark(r, RunState::kInvalid, "instance 1 died of signal 9");
  r.points = {{16, 2, 4, "int8", 3100, latency, RunState::kValid}};
  return r;
}

}  // namespace fovea
