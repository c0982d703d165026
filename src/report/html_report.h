// html_report: run records as one HTML file that needs no network: words, tables and charts.
#pragma once

#include <span>
#include <string>

#include "report/run_record.h"

namespace fovea {

struct HtmlOptions {
  std::string title;           // empty: made from the records
  int max_mistakes = 24;       // misclassified images shown as thumbnails, the surest mistakes first; 0: none
  int thumbnail_pixels = 128;  // longer side
};

// The page of one or more records; several get an overview and charts against batch and instances first. Everything
// from the records is escaped; the page's Content-Security-Policy allows its own two scripts and style alone.
// Thumbnails are read from the files that the records name; one that cannot be read is shown as its name. Works without
// scripts, but for the charts, each of which has its figures in a table.
std::string render_html(std::span<const RunRecord> records, const HtmlOptions& options = {});

}  // namespace fovea
