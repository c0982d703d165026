#include "import/tensorflow/import_tensorflow.h"

#include <new>

#include "import/tensorflow/graph_def_schema.h"
#include "import/tensorflow/graph_reader.h"
#include "import/wire/message_file.h"

namespace fovea {
namespace {

using tensorflow_import::graph_def_schema;
using tensorflow_import::GraphReader;

// Runs `read`, giving its errors, and a lack of memory, the context `what`.
template <class F>
Result<Graph> reading(const std::string& what, F&& read) {
  try {
    Result<Graph> result = read();
    if (!result.ok()) return std::move(result).error().within(what);
    return result;
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResource, "not enough memory").within(what);
  }
}

// A SavedModel begins with its version, the number 1 in field 1; field 1 of a GraphDef is a message.
Status reject_saved_model(const tensorflow::GraphDef& file, bool begins_with_number) {
  if (file.node_size() == 0 && begins_with_number)
    return unsupported("a SavedModel, not a frozen GraphDef: freeze it first (docs/tensorflow.md)");
  if (file.node_size() == 0) return bad_input("not a GraphDef: it holds no nodes");
  return {};
}

}  // namespace

Result<Graph> import_tensorflow(const std::filesystem::path& path, const TensorflowOptions& options) {
  return reading("importing " + path.string(), [&]() -> Result<Graph> {
    FOVEA_TRY(const wire::OpenFile file, wire::open_file(path, options.limits));
    FOVEA_TRY(const auto message, wire::parse_file<tensorflow::GraphDef>(file, graph_def_schema(), options.limits));
    char first = 0;
    const bool number = pread(file.fd.get(), &first, 1, 0) == 1 && first == 0x08;
    FOVEA_RETURN_IF_ERROR(reject_saved_model(*message, number));
    return GraphReader(*message, options, path.stem().string()).read();
  });
}

Result<Graph> import_tensorflow_bytes(std::span<const std::byte> bytes, std::string_view name,
                                      const TensorflowOptions& options) {
  return reading(fmt::format("importing {}", name), [&]() -> Result<Graph> {
    FOVEA_TRY(const auto message, wire::parse_bytes<tensorflow::GraphDef>(bytes, graph_def_schema(), options.limits));
    FOVEA_RETURN_IF_ERROR(reject_saved_model(*message, bytes[0] == std::byte{0x08}));
    return GraphReader(*message, options, std::string(name)).read();
  });
}

bool is_tensorflow_file(std::string_view file_name) { return file_name.ends_with(".pb"); }

}  // namespace fovea
