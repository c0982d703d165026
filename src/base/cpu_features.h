// What the CPU can do, by CPUID and XCR0, and the ISA levels that kernels are written for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fovea {

// Kernel levels, weakest first. A level implies all weaker ones, but that CPUs with AVX-512 may lack the VEX-coded
// kAvxVnni, and some have VNNI without VBMI.
enum class Isa : int { kScalar, kAvx2, kAvxVnni, kAvx512, kAvx512Vbmi, kAvx512Vnni, kAvx512Bf16 };

std::string_view isa_name(Isa isa);                    // "scalar", "avx2", "avxvnni", "avx512", "vbmi", "vnni", "bf16"
std::optional<Isa> parse_isa(std::string_view name);   // the inverse

// Plain data: passed to whatever chooses a kernel, never read from a global.
struct CpuFeatures {
  bool avx2 = false;         // AVX2, FMA and F16C, with OS support
  bool avx_vnni = false;     // VEX-coded VPDPBUSD
  bool avx512 = false;       // F, BW, DQ, VL, with OS support
  bool avx512_vbmi = false;  // byte permutations across a register
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool amx_int8 = false;
  bool amx_bf16 = false;
  int family = 0;
  int model = 0;
  std::string vendor;        // "AuthenticAMD", "GenuineIntel"
  std::string brand;         // as the CPU states it

  bool has(Isa isa) const;
  // The strongest level that the CPU has.
  Isa best() const;
  // These features cut down to `isa`; what the CPU lacks stays off.
  CpuFeatures limited_to(Isa isa) const;
};

// Features of this machine, unlimited. Cheap enough to call at will.
CpuFeatures detect_cpu();

// detect_cpu() cut down to FOVEA_ISA where that is set (base/knobs.h); an unknown or missing level is reported by
// knobs_error(), and then ignored here.
CpuFeatures active_cpu();

}  // namespace fovea
