// DType: element types of tensors, with their sizes and names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bf16.h"
#include "base/result.h"

namespace fovea {

enum class DType : std::uint8_t { kF32, kF64, kF16, kBf16, kS8, kU8, kS16, kU16, kS32, kU32, kS64, kU64, kBool };

std::size_t size_of(DType dtype);                          // bytes an element
std::string_view dtype_name(DType dtype);                  // "f32", "bf16", "u8", "bool"…
std::optional<DType> parse_dtype(std::string_view name);   // the inverse
constexpr bool is_float(DType d) { return d <= DType::kBf16; }
constexpr bool is_integer(DType d) { return d >= DType::kS8 && d <= DType::kU64; }

// The DType of a C++ element type.
template <class T> struct DTypeOf;
template <> struct DTypeOf<float> { static constexpr DType value = DType::kF32; };
template <> struct DTypeOf<double> { static constexpr DType value = DType::kF64; };
template <> struct DTypeOf<Half> { static constexpr DType value = DType::kF16; };
template <> struct DTypeOf<Bf16> { static constexpr DType value = DType::kBf16; };
template <> struct DTypeOf<std::int8_t> { static constexpr DType value = DType::kS8; };
template <> struct DTypeOf<std::uint8_t> { static constexpr DType value = DType::kU8; };
template <> struct DTypeOf<std::int16_t> { static constexpr DType value = DType::kS16; };
template <> struct DTypeOf<std::uint16_t> { static constexpr DType value = DType::kU16; };
template <> struct DTypeOf<std::int32_t> { static constexpr DType value = DType::kS32; };
template <> struct DTypeOf<std::uint32_t> { static constexpr DType value = DType::kU32; };
template <> struct DTypeOf<std::int64_t> { static constexpr DType value = DType::kS64; };
template <> struct DTypeOf<std::uint64_t> { static constexpr DType value = DType::kU64; };
template <> struct DTypeOf<bool> { static constexpr DType value = DType::kBool; };

// Calls f(T{}) with the C++ type of `dtype`; f must return the same type for all.
template <class F>
auto dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32: return f(float{});
    case DType::kF64: return f(double{});
    case DType::kF16: return f(Half{});
    case DType::kBf16: return f(Bf16{});
    case DType::kS8: return f(std::int8_t{});
    case DType::kU8: return f(std::uint8_t{});
    case DType::kS16: return f(std::int16_t{});
    case DType::kU16: return f(std::uint16_t{});
    case DType::kS32: return f(std::int32_t{});
    case DType::kU32: return f(std::uint32_t{});
    case DType::kS64: return f(std::int64_t{});
    case DType::kU64: return f(std::uint64_t{});
    case DType::kBool: return f(bool{});
  }
  throw CheckFailure("dispatch: unknown DType");
}

}  // namespace fovea
