// ServerModel: Server on simulated time. Queries come at random (Poisson), each worker takes always the same time for a
// batch, and the queue is the SampleQueue of real runs. It says what rate an arrangement of the cores can hold within
// the latency limit, and so what a measured rate is worth.
#pragma once

#include <cstdint>
#include <vector>

#include "mlperf/sample_queue.h"

namespace fovea::mlperf {

struct ServerModel {
  int workers = 1;
  std::vector<double> batch_ns;  // [n - 1]: what a worker takes for n images; at least of one, all > 0
  QueueOptions queue;
  double limit_ns = 0;         // a query that is answered later is late
  double allowed_late = 0.01;  // share of the queries that may be
};

struct ServerOutcome {
  double late = 0;  // share of the queries
  double p99_ns = 0, longest_ns = 0;
  std::int64_t postponed = 0;
};

// `queries` at `qps`; the same numbers give the same outcome on every machine.
ServerOutcome simulate_server(const ServerModel& model, double qps, int queries, std::uint64_t seed = 1);

// Queries a second with the workers never idle and every image in the best batch.
double capacity_qps(const ServerModel& model);

// The highest rate at which no more than the allowed share is late, to 0.5 % of the capacity; 0 where a single query
// takes longer than the limit.
double highest_qps(const ServerModel& model);

}  // namespace fovea::mlperf
