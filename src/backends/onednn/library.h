// What every file of this folder needs of the library itself: its engine, its ISA limit, one-thread calls, types.
#pragma once

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>

#include "base/aligned_buffer.h"
#include "plan/tactic.h"

namespace fovea::onednn {

// The CPU engine of the process. Thread-safe.
const dnnl::engine& cpu_engine();

// The strongest ISA that the library may generate code for: that of active_cpu(), decided once in a process, because
// oneDNN can be limited only before its first use.
Isa isa_limit();

// Whether the library can be used for a query at all: an AVX2 CPU, no instructions beyond query.cpu's own limit, and
// for bf16 operands a CPU that multiplies bf16.
Verdict check_cpu(const TacticQuery& query, bool bf16);

// True for the dtypes that this folder computes with.
inline bool is_supported(DType dtype) { return dtype == DType::kF32 || dtype == DType::kBf16; }
dnnl::memory::data_type data_type_of(DType dtype);  // f32, bf16, s32, s8, u8

// While one exists, oneDNN runs on the calling thread alone, whatever the program's OpenMP setting: no team of libgomp
// is started, which would spin on the processors that the thread pool uses. Restores the setting of this thread.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int saved_;
};

// Calls make() on one thread and turns the library's exception into an Error "oneDNN cannot make <what>: <reason>".
template <class F>
auto guarded(std::string_view what, F&& make) -> Result<decltype(make())> {
  const SingleThread single;
  try {
    return make();
  } catch (const dnnl::error& error) {
    return unsupported("oneDNN cannot make {}: {}", what, error.message);
  }
}

// Constants in the library's preferred order, read by primitives and shared by all Sessions.
struct PackedConstant {
  dnnl::memory::desc desc;
  AlignedBuffer bytes;
};

// Copies `from` (dense elements described by `from_desc`) into new memory described by `to_desc`.
Result<std::shared_ptr<const PackedConstant>> pack(const dnnl::memory::desc& from_desc, const void* from,
                                                   const dnnl::memory::desc& to_desc);

// True if the library would run its plain reference loops, which are slower than Fovea's own.
template <class Descriptor>
bool is_reference(const Descriptor& descriptor) {
  return std::string_view(descriptor.impl_info_str()).starts_with("ref");
}

// Attributes with the scratchpad left to the caller and the given post-operations.
dnnl::primitive_attr step_attributes(const dnnl::post_ops& post_ops = {});

}  // namespace fovea::onednn
