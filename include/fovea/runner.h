// CompiledModel: a Model made ready for this CPU. Runner: runs one, with its own memory and threads.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/model.h"

namespace fovea {

// kAuto: in integers if the network is quantised, else in f32; what its file wants in bf16 (`fovea quantize --fallback
// bf16`) in that, where the CPU has it. kInt8 needs a quantised network; kBf16 the CPU's instructions: they throw
// kUnsupported where that is missing.
enum class ComputeType : std::uint8_t { kAuto, kF32, kBf16, kInt8 };

struct CompileSettings {
  ComputeType compute = ComputeType::kAuto;
  std::int64_t batch = 1;                   // of inputs whose first extent is open
  int threads = 0;                          // of each Runner; 0: the cores that this process may use
  std::string isa;                        // strongest kernels: scalar, avx2, avx512, vbmi, vnni, bf16; empty: the CPU's
  AxisOrder input_order = AxisOrder::kRowMajor;                 // of rank 4 inputs, as run() gets them
  std::map<std::string, std::vector<std::int64_t>> input_dims;  // by name, of inputs with more than the batch open
};

// Immutable and cheap to copy: copies share packed weights. Thread-safe.
class FOVEA_API CompiledModel {
 public:
  explicit CompiledModel(const Model& model, const CompileSettings& settings = {});

  std::vector<Port> inputs() const;  // every extent fixed
  std::vector<Port> outputs() const;
  int threads() const;
  std::int64_t activation_bytes() const;  // of each Runner
  std::int64_t weight_bytes() const;      // packed, shared by all Runners

  struct Impl;
  const std::shared_ptr<const Impl>& impl() const { return impl_; }  // for the library's own use

 private:
  std::shared_ptr<const Impl> impl_;
};

// One thread at a time; different Runners are independent, also on one CompiledModel. The calling thread works as the
// first of the Runner's threads.
class FOVEA_API Runner {
 public:
  explicit Runner(const CompiledModel& compiled);
  Runner(Runner&&) noexcept;
  Runner& operator=(Runner&&) noexcept;
  ~Runner();

  // Inputs and outputs in the order of CompiledModel's, of its types, dims and orders; otherwise kBadInput is thrown,
  // naming the port, what was expected and what was found. Memory is the caller's, aligned to its elements. From the
  // second run on nothing is allocated.
  void run(std::span<const ConstArrayView> inputs, std::span<const ArrayView> outputs);
  // The same with outputs allocated here.
  std::vector<Array> run(std::span<const Array> inputs);
  // For networks with one input.
  std::vector<Array> run(const Array& input);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
