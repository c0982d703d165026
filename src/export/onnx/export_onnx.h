// Writes portable graphs as ONNX files that other tools accept.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace fovea {

struct ExportOptions {
  // 0: the opset that the graph was read from (its metadata "opset"), at least 13, or a newer one where an operator
  // needs it. Given: exactly this one, 13 to 21, or an error that says which node needs more.
  int opset = 0;
  std::string producer = "fovea";
  std::string producer_version;
  int gzip_level = 6;  // of .onnx.gz, 1 to 9
};

// Writes `graph` to `path`, gzip-compressed where the name ends in ".gz". The file appears whole or not at all: a file
// beside it is written first, flushed and renamed. Reading it back gives the same graph, and the same bits from every
// evaluation. Errors: operators, attributes or layouts that only compiled graphs have (FusedConv), more than 2 GiB, and
// whatever the file system reports.
Status export_onnx(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options = {});

// The same into memory, uncompressed.
Result<std::vector<std::byte>> export_onnx_bytes(const Graph& graph, const ExportOptions& options = {});

}  // namespace fovea
