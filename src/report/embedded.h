// The files of report/web and the chart library, compiled into the library (see cmake/fovea_embed.cmake).
#pragma once

#include <span>

#include "zoo/embedded.h"

namespace fovea {

// "web/report.css", "web/report.js" and "chart.min.js" (Chart.js, MIT licence). The bytes live as long as the process.
std::span<const EmbeddedFile> embedded_report_files();

}  // namespace fovea
