// Arrangement: how Server's workers share the cores, chosen by measurement. One core a worker has the most throughput;
// more cores a worker answer sooner, so that more queries can wait and still be in time. Which holds the higher rate
// within the latency limit is what the ServerModel says of the times measured.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mlperf/server_model.h"
#include "mlperf/sut.h"

namespace fovea::mlperf {

struct Arrangement {
  int cores_per_worker = 1, workers = 1;
  std::vector<double> batch_ns;  // for 1, 2… images with all workers at work; as many as batches may have
  std::vector<double> scatter;   // sorted times of one image with pauses between, as multiples of batch_ns[0]
  double fastest_ns = 0;         // the least time for one image
  double capacity_qps = 0;       // with workers that are never idle
  double highest_qps = 0;        // within the limit, by simulation; 0: no rate holds it
};

struct ArrangementChoice {
  std::vector<Arrangement> tried;  // at least one
  std::size_t chosen = 0;
  double limit_ns = 0;
  const Arrangement& best() const { return tried[chosen]; }
  // "2 workers of 1 core: 3.60 ms an image (with pauses p99 4.02), 410 /s within 10 ms by simulation (…)".
  std::string text() const;
  nlohmann::json json() const;
};

// The one that holds the highest rate; of those within 2 % the one with fewest cores a worker, which has less to
// synchronise. Where none holds any, the one that answers soonest.
std::size_t best_arrangement(std::span<const Arrangement> tried);

// Compiles and times the network with every number of cores a worker that shares out options.threads evenly, or with
// options.cores_per_worker alone where that is set. Batches up to options.max_batch; where that is 0, up to the size
// that is no faster per image, and that takes no more than half of the limit. Takes about two seconds for each number of
// cores, beside compiling.
Result<ArrangementChoice> choose_arrangement(const LoadedModel& model, const SutOptions& options,
                                             const ServerGoal& goal);

// Settles the SutOptions by the choice.
void apply_arrangement(const ArrangementChoice& choice, SutOptions& options);

}  // namespace fovea::mlperf
