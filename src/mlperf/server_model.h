// ServerModel: Server on simulated time. Queries come at random (Poisson), a worker takes the time of a batch, scattered
// as measured times were, and the queue is the SampleQueue of real runs. It says what rate an arrangement of the cores
// can hold within the latency limit, and so what a measured rate is worth.
#pragma once

#include <cstdint>
#include <vector>

#include "mlperf/sample_queue.h"

namespace fovea::mlperf {

// What a run of Server is to hold.
struct ServerGoal {
  double limit_ns = 0;  // a query that is answered later is late
  double percentile = 0.99;
  // How long it is: fewer of a short run may be late. 0, 0: it never ends.
  std::int64_t min_queries = 0;
  double min_duration_s = 0;
};

struct ServerModel {
  int workers = 1;
  std::vector<double> batch_ns;  // [n - 1]: what a worker takes for n images; at least of one, all > 0
  QueueOptions queue;
  ServerGoal goal;
  // What a batch took as a multiple of batch_ns, any of them as likely as another; empty: always 1.
  std::vector<double> scatter;
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

// Share of the queries of a run at `qps` that may be late (early_stopping.h). A run that is too short to be valid
// whatever it finds counts as the shortest of which one query may be late.
double allowed_late(const ServerGoal& goal, double qps);

// The highest rate at which no more than the allowed share is late, to 0.5 % of the capacity; 0 where a single query
// takes longer than the limit, or where too many are late at any rate.
double highest_qps(const ServerModel& model);

}  // namespace fovea::mlperf
