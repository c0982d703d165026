#include "backends/onednn/library.h"

#include <omp.h>

namespace fovea::onednn {
namespace {

dnnl::cpu_isa library_isa(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return dnnl::cpu_isa::sse41;
    case Isa::kAvx2:
      return dnnl::cpu_isa::avx2;
    case Isa::kAvxVnni:
      return dnnl::cpu_isa::avx2_vnni;
    case Isa::kAvx512:
    case Isa::kAvx512Vbmi:
      return dnnl::cpu_isa::avx512_core;
    case Isa::kAvx512Vnni:
      return dnnl::cpu_isa::avx512_core_vnni;
    case Isa::kAvx512Bf16:
      return dnnl::cpu_isa::avx512_core_bf16;
  }
  return dnnl::cpu_isa::all;
}

// Asks for the limit where one is wanted. The library refuses once it has generated code for somebody else in this
// process; then, or where there is no limit, it uses all that the CPU has.
Isa settle_isa_limit() {
  const Isa wanted = active_cpu().best(), available = detect_cpu().best();
  if (wanted >= available) return available;
  const bool limited = dnnl::set_max_cpu_isa(library_isa(wanted)) == dnnl::status::success;
  return limited ? wanted : available;
}

}  // namespace

Isa isa_limit() {
  static const Isa limit = settle_isa_limit();
  return limit;
}

const dnnl::engine& cpu_engine() {
  isa_limit();  // before the engine exists
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

Verdict check_cpu(const TacticQuery& query, bool bf16) {
  if (!query.cpu.avx2)
    return Verdict::no("oneDNN is used on AVX2 and better only, found {}", isa_name(query.cpu.best()));
  if (query.cpu.best() < isa_limit())
    return Verdict::no("oneDNN would use instructions beyond the forced ISA: it generates {} code, allowed is {}",
                       isa_name(isa_limit()), isa_name(query.cpu.best()));
  if (bf16 && !query.cpu.avx512_bf16) return Verdict::no("the CPU has no AVX-512 BF16");
  return Verdict::yes();
}

dnnl::memory::data_type data_type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return dnnl::memory::data_type::f32;
    case DType::kBf16:
      return dnnl::memory::data_type::bf16;
    case DType::kS32:
      return dnnl::memory::data_type::s32;
    case DType::kS8:
      return dnnl::memory::data_type::s8;
    case DType::kU8:
      return dnnl::memory::data_type::u8;
    default:
      throw CheckFailure(fmt::format("oneDNN has no element type {}", dtype_name(dtype)));
  }
}

SingleThread::SingleThread() : saved_(omp_get_max_threads()) { omp_set_num_threads(1); }
SingleThread::~SingleThread() { omp_set_num_threads(saved_); }

Result<std::shared_ptr<const PackedConstant>> pack(const dnnl::memory::desc& from_desc, const void* from,
                                                   const dnnl::memory::desc& to_desc) {
  return guarded("packed constants", [&]() -> std::shared_ptr<const PackedConstant> {
    auto packed = std::make_shared<PackedConstant>(PackedConstant{to_desc, AlignedBuffer(to_desc.get_size())});
    dnnl::memory source(from_desc, cpu_engine(), const_cast<void*>(from));
    dnnl::memory target(to_desc, cpu_engine(), packed->bytes.data());
    dnnl::stream stream(cpu_engine());
    dnnl::reorder(source, target).execute(stream, source, target);
    return packed;
  });
}

dnnl::primitive_attr step_attributes(const dnnl::post_ops& post_ops) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(post_ops);
  return attributes;
}

}  // namespace fovea::onednn
