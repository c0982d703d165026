// The charts of a page of results, each with its figures in a table beside it. All texts are escaped.
#pragma once

#include <string>

#include "mlperf/results_tree.h"

namespace fovea::mlperf {

// The latencies of a performance test with a result: how long how large a share of the queries took, against the
// scenario's limit.
std::string html_latencies(const ScenarioResults& results, const LoggedTest& test);

// Latency against rate, from the search for Server's highest one.
std::string html_server_curve(const ServerCurve& curve);

}  // namespace fovea::mlperf
