#include "import/onnx/import_onnx.h"

#include <new>

#include "import/onnx/model_reader.h"
#include "import/onnx/read_model.h"

namespace fovea {
namespace {

using onnx_import::ExternalFiles;

Result<Graph> read_graph(onnx::ModelProto& model, const ImportLimits& limits, ExternalFiles& files, std::string name) {
  if (!model.has_graph()) return bad_input("not an ONNX model: it holds no graph");
  return onnx_import::ModelReader(model, limits, files, std::move(name)).read();
}

// Runs `read`, giving its errors, and a lack of memory, the context `what`.
template <class T, class F>
Result<T> reading(const std::string& what, F&& read) {
  try {
    Result<T> result = read();
    if (!result.ok()) return std::move(result).error().within(what);
    return result;
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResource, "not enough memory").within(what);
  }
}

// "net" of "models/net.onnx.gz".
std::string stem_of(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

}  // namespace

Result<Graph> import_onnx(const std::filesystem::path& path, const ImportOptions& options) {
  return reading<Graph>("importing " + path.string(), [&]() -> Result<Graph> {
    FOVEA_TRY(const auto model, onnx_import::read_model(path, options.limits));
    ExternalFiles files(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
    return read_graph(*model, options.limits, files, stem_of(path));
  });
}

Result<Graph> import_onnx_bytes(std::span<const std::byte> bytes, std::string_view name, const ImportOptions& options) {
  return reading<Graph>(fmt::format("importing {}", name), [&]() -> Result<Graph> {
    FOVEA_TRY(const auto model, onnx_import::parse_model(bytes, options.limits));
    ExternalFiles files("");
    return read_graph(*model, options.limits, files, std::string(name));
  });
}

Result<Tensor> read_onnx_tensor(std::span<const std::byte> bytes, const ImportLimits& limits) {
  return reading<Tensor>("reading an ONNX tensor", [&]() -> Result<Tensor> {
    FOVEA_TRY(const auto message, onnx_import::parse_tensor(bytes, limits));
    ExternalFiles files("");
    onnx_import::TensorDecoder decoder(limits, files);
    return decoder.decode(*message);
  });
}

}  // namespace fovea
