// Imports a GraphDef or an ONNX file and computes its outputs: run_graph MODEL INPUT.npy PREFIX writes PREFIX0.npy,
// PREFIX1.npy…
// INPUT is NHWC float; with --reference the reference evaluation computes instead of a compiled plan, with --file-order
// the input keeps the order of the file.
#include <cstdio>
#include <fstream>

#include "import/onnx/import_onnx.h"
#include "import/tensorflow/import_tensorflow.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "runtime/compile.h"
#include "runtime/session.h"
#include "tests/conformance/npy.h"

namespace fovea::test {
namespace {

Tensor channels_first(const Tensor& nhwc) {
  Tensor out(DType::kF32, {nhwc.dim(0), nhwc.dim(3), nhwc.dim(1), nhwc.dim(2)});
  const std::int64_t area = nhwc.dim(1) * nhwc.dim(2), channels = nhwc.dim(3);
  for (std::int64_t n = 0; n < nhwc.dim(0); ++n)
    for (std::int64_t p = 0; p < area; ++p)
      for (std::int64_t c = 0; c < channels; ++c)
        out.as<float>()[static_cast<std::size_t>((n * channels + c) * area + p)] =
            nhwc.as<float>()[static_cast<std::size_t>((n * area + p) * channels + c)];
  return out;
}

Status write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  std::string dims;
  for (std::int64_t d : tensor.dims()) dims += std::to_string(d) + ",";
  const Tensor values = tensor.cast(DType::kF32);
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + dims + "), }";
  header.append(63 - (header.size() + 10) % 64, ' ');
  header += '\n';
  std::ofstream out(path, std::ios::binary);
  out.write("\x93NUMPY\x01\x00", 8);
  const char size[2] = {static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  out.write(size, 2);
  out << header;
  out.write(static_cast<const char*>(values.raw()), static_cast<std::streamsize>(values.bytes()));
  if (!out.flush()) return bad_input("cannot write {}", path.string());
  return {};
}

Result<std::vector<Tensor>> compute(const Graph& graph, const Tensor& input, bool reference) {
  if (reference) {
    FOVEA_TRY(const Graph bound, specialise(graph, input.dim(0)));
    FOVEA_TRY(Evaluation done, evaluate_graph(bound, std::span(&input, 1)));
    return std::move(done.outputs);
  }
  CompileOptions options;
  options.batch = input.dim(0);
  FOVEA_TRY(auto plan, compile(graph, options));
  Session session(std::move(plan), 1);
  return session.run(std::span(&input, 1));
}

Result<Graph> import_model(const std::string& model, bool file_order) {
  if (model.ends_with(".onnx")) return import_onnx(model);
  return import_tensorflow(model, {.channels_first_images = !file_order});
}

Status run(const std::string& model, const std::string& input, const std::string& prefix, bool reference,
           bool file_order) {
  FOVEA_TRY(const Graph graph, import_model(model, file_order));
  FOVEA_TRY(Tensor images, read_npy(input));
  if (!file_order && images.rank() == 4) images = channels_first(images);
  FOVEA_TRY(const auto outputs, compute(graph, images, reference));
  for (std::size_t i = 0; i < outputs.size(); ++i)
    FOVEA_RETURN_IF_ERROR(write_npy(fmt::format("{}{}.npy", prefix, i), outputs[i]));
  return {};
}

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  bool reference = false, file_order = false;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--reference")
      reference = true;
    else if (argument == "--file-order")
      file_order = true;
    else
      files.push_back(argument);
  }
  if (files.size() != 3) {
    std::fprintf(stderr, "usage: %s [--reference] [--file-order] MODEL.pb INPUT.npy PREFIX\n", argv[0]);
    return 2;
  }
  const auto status = fovea::test::run(files[0], files[1], files[2], reference, file_order);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.error().text().c_str());
  return 1;
}
