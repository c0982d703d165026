// csv_report: run records as CSV (RFC 4180), a row a record and a row a point of a sweep.
#pragma once

#include <span>
#include <string>

#include "report/run_record.h"

namespace fovea {

// The first line names the columns (docs/report.md). Texts that a spreadsheet would take for a formula get a leading '.
std::string render_csv(std::span<const RunRecord> records);

}  // namespace fovea
