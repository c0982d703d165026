#include "base/cpu_features.h"

#include <cpuid.h>
#include <immintrin.h>

#include <array>
#include <cstring>

#include "base/knobs.h"

namespace fovea {
namespace {

constexpr std::array<std::string_view, 7> kIsaNames = {"scalar", "avx2", "avxvnni", "avx512", "vbmi", "vnni", "bf16"};

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};
Leaf cpuid(unsigned leaf, unsigned sub = 0) {
  Leaf r;
  __get_cpuid_count(leaf, sub, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}
bool bit(unsigned word, int index) { return (word >> index) & 1u; }

unsigned long long read_xcr0() {
  unsigned eax = 0, edx = 0;
  __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return (static_cast<unsigned long long>(edx) << 32) | eax;
}

}  // namespace

std::string_view isa_name(Isa isa) { return kIsaNames[static_cast<int>(isa)]; }

std::optional<Isa> parse_isa(std::string_view name) {
  for (int i = 0; i < static_cast<int>(kIsaNames.size()); ++i)
    if (kIsaNames[i] == name) return static_cast<Isa>(i);
  return std::nullopt;
}

bool CpuFeatures::has(Isa isa) const {
  switch (isa) {
    case Isa::kScalar:
      return true;
    case Isa::kAvx2:
      return avx2;
    case Isa::kAvxVnni:
      return avx_vnni;
    case Isa::kAvx512:
      return avx512;
    case Isa::kAvx512Vbmi:
      return avx512_vbmi;
    case Isa::kAvx512Vnni:
      return avx512_vnni;
    case Isa::kAvx512Bf16:
      return avx512_bf16;
  }
  return false;
}

Isa CpuFeatures::best() const {
  for (int level = static_cast<int>(Isa::kAvx512Bf16); level > 0; --level)
    if (has(static_cast<Isa>(level))) return static_cast<Isa>(level);
  return Isa::kScalar;
}

CpuFeatures CpuFeatures::limited_to(Isa isa) const {
  CpuFeatures f = *this;
  f.avx2 = f.avx2 && isa >= Isa::kAvx2;
  f.avx_vnni = f.avx_vnni && isa >= Isa::kAvxVnni;
  f.avx512 = f.avx512 && isa >= Isa::kAvx512;
  f.avx512_vbmi = f.avx512_vbmi && isa >= Isa::kAvx512Vbmi;
  f.avx512_vnni = f.avx512_vnni && isa >= Isa::kAvx512Vnni;
  f.avx512_bf16 = f.avx512_bf16 && isa >= Isa::kAvx512Bf16;
  f.amx_int8 = f.amx_int8 && isa >= Isa::kAvx512Bf16;
  f.amx_bf16 = f.amx_bf16 && isa >= Isa::kAvx512Bf16;
  return f;
}

CpuFeatures detect_cpu() {
  CpuFeatures f;
  const Leaf l0 = cpuid(0);
  char vendor[13] = {};
  std::memcpy(vendor, &l0.ebx, 4);
  std::memcpy(vendor + 4, &l0.edx, 4);
  std::memcpy(vendor + 8, &l0.ecx, 4);
  f.vendor = vendor;
  const Leaf l1 = cpuid(1);
  const int base_family = (l1.eax >> 8) & 15;
  f.family = base_family == 15 ? base_family + static_cast<int>((l1.eax >> 20) & 255) : base_family;
  f.model = static_cast<int>((l1.eax >> 4) & 15) | static_cast<int>(((l1.eax >> 16) & 15) << 4);
  char brand[49] = {};
  for (unsigned i = 0; i < 3; ++i) {
    const Leaf b = cpuid(0x80000002u + i);
    std::memcpy(brand + 16 * i, &b, 16);
  }
  f.brand = brand;
  while (!f.brand.empty() && f.brand.back() == ' ') f.brand.pop_back();

  const Leaf l7 = cpuid(7), l71 = cpuid(7, 1);
  const bool osxsave = bit(l1.ecx, 27);
  const auto xcr0 = osxsave ? read_xcr0() : 0;
  const bool os_avx = (xcr0 & 0x6) == 0x6;
  const bool os_avx512 = (xcr0 & 0xe6) == 0xe6;
  const bool os_amx = (xcr0 & 0x60000) == 0x60000;
  f.avx2 = os_avx && bit(l7.ebx, 5) && bit(l1.ecx, 12) && bit(l1.ecx, 29);
  f.avx_vnni = f.avx2 && bit(l71.eax, 4);
  f.avx512 = f.avx2 && os_avx512 && bit(l7.ebx, 16) && bit(l7.ebx, 30) && bit(l7.ebx, 17) && bit(l7.ebx, 31);
  f.avx512_vbmi = f.avx512 && bit(l7.ecx, 1);
  f.avx512_vnni = f.avx512 && bit(l7.ecx, 11);
  f.avx512_bf16 = f.avx512_vnni && bit(l71.eax, 5);
  f.amx_int8 = os_amx && bit(l7.edx, 25);
  f.amx_bf16 = os_amx && bit(l7.edx, 22);
  return f;
}

CpuFeatures active_cpu() {
  const CpuFeatures cpu = detect_cpu();
  const auto forced = parse_isa(knobs().isa);
  return forced ? cpu.limited_to(*forced) : cpu;
}

}  // namespace fovea
