// consumer MODEL [IMAGE]: names what is on IMAGE, or, without one, runs MODEL once on zeros and shows its ports.
#include <fovea/fovea.h>

#include <cstdio>

namespace {

void show(const char* kind, const std::vector<fovea::Port>& ports) {
  for (const fovea::Port& port : ports) {
    std::printf("%s %s: %s", kind, port.name.c_str(), fovea::element_type_name(port.type).data());
    for (const auto extent : port.dims) std::printf(" %lld", static_cast<long long>(extent));
    std::printf("\n");
  }
}

void classify(const fovea::Model& model, const char* image) {
  fovea::Classifier classifier(model);
  for (const fovea::ClassScore& c : classifier.classify_file(image))
    std::printf("%6.2f %%  %s\n", 100 * static_cast<double>(c.probability), c.name.c_str());
}

void run_on_zeros(const fovea::Model& model) {
  const fovea::CompiledModel compiled(model);
  show("input", compiled.inputs());
  show("output", compiled.outputs());
  std::vector<fovea::Array> inputs;
  for (const fovea::Port& port : compiled.inputs()) inputs.emplace_back(port.type, port.dims, port.order);
  fovea::Runner runner(compiled);
  const std::vector<fovea::Array> outputs = runner.run(inputs);
  std::printf("ran on %d thread(s): %zu output(s), the first of %zu bytes\n", compiled.threads(), outputs.size(),
              outputs.at(0).bytes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: consumer MODEL [IMAGE]\n");
    return 2;
  }
  try {
    const fovea::Model model = fovea::Model::load(argv[1]);
    std::printf("fovea %s, model %s\n", fovea::version(), model.name().c_str());
    if (argc == 3)
      classify(model, argv[2]);
    else
      run_on_zeros(model);
  } catch (const fovea::Exception& error) {
    std::fprintf(stderr, "consumer: %s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
