#include "export/onnx/export_onnx.h"

#include <google/protobuf/io/gzip_stream.h>

#include <climits>

#include "export/onnx/encode_graph.h"
#include "export/onnx/write_file.h"

namespace fovea {
namespace {

namespace io = google::protobuf::io;

Status check_size(const onnx::ModelProto& model) {
  if (model.ByteSizeLong() > INT_MAX)
    return make_error(ErrorCode::kResource, "{} MiB; an ONNX file without external data ends at 2 GiB",
                      model.ByteSizeLong() >> 20);
  return {};
}

Status write_model(const onnx::ModelProto& model, int gzip_level, io::ZeroCopyOutputStream& stream) {
  if (gzip_level == 0)
    return model.SerializeToZeroCopyStream(&stream) ? Status() : make_error(ErrorCode::kResource, "cannot write");
  io::GzipOutputStream::Options options;
  options.format = io::GzipOutputStream::GZIP;
  options.compression_level = gzip_level;
  io::GzipOutputStream zipped(&stream, options);
  const bool written = model.SerializeToZeroCopyStream(&zipped);
  return zipped.Close() && written ? Status() : make_error(ErrorCode::kResource, "cannot write compressed");
}

Status export_to(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options) {
  if (options.gzip_level < 1 || options.gzip_level > 9)
    return make_error(ErrorCode::kUsage, "gzip level {}: expected 1 to 9", options.gzip_level);
  FOVEA_TRY(const auto model, onnx_export::encode_model(graph, options));
  FOVEA_RETURN_IF_ERROR(check_size(*model));
  const int level = path.extension() == ".gz" ? options.gzip_level : 0;
  return onnx_export::write_whole_file(
      path, [&](io::ZeroCopyOutputStream& stream) { return write_model(*model, level, stream); });
}

}  // namespace

Status export_onnx(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options) {
  if (Status status = export_to(graph, path, options); !status.ok())
    return std::move(status).error().within("exporting " + path.string());
  return {};
}

Result<std::vector<std::byte>> export_onnx_bytes(const Graph& graph, const ExportOptions& options) {
  auto model = onnx_export::encode_model(graph, options);
  if (!model.ok()) return std::move(model).error().within("exporting " + graph.name);
  if (Status status = check_size(**model); !status.ok())
    return std::move(status).error().within("exporting " + graph.name);
  std::vector<std::byte> bytes((*model)->ByteSizeLong());
  if (!(*model)->SerializeToArray(bytes.data(), static_cast<int>(bytes.size())))
    return make_error(ErrorCode::kInternal, "the message cannot be serialised").within("exporting " + graph.name);
  return bytes;
}

}  // namespace fovea
