// Array owns numbers with a shape, ArrayView borrows them: what goes into a network and what comes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "fovea/error.h"

namespace fovea {

enum class ElementType : std::uint8_t { kF32, kF64, kF16, kBf16, kS8, kU8, kS16, kU16, kS32, kU32, kS64, kU64, kBool };
FOVEA_API std::string_view element_type_name(ElementType type);  // "f32", "u8"…
FOVEA_API std::size_t element_bytes(ElementType type);

// Physical order of the elements. Dims are always in the operator's logical order (N, C, H, W for images).
enum class AxisOrder : std::uint8_t {
  kRowMajor,      // as the dims say: NCHW
  kChannelsLast,  // axis 1 moved to the end: NHWC. Rank 3 and more only
};

// Borrowed, dense elements. Dims and data must outlive the call that gets the view; nothing keeps one.
struct ArrayView {
  ElementType type = ElementType::kF32;
  AxisOrder order = AxisOrder::kRowMajor;
  std::span<const std::int64_t> dims;
  void* data = nullptr;
};
struct ConstArrayView {
  ElementType type = ElementType::kF32;
  AxisOrder order = AxisOrder::kRowMajor;
  std::span<const std::int64_t> dims;
  const void* data = nullptr;

  ConstArrayView() = default;
  ConstArrayView(ElementType t, AxisOrder o, std::span<const std::int64_t> d, const void* p)
      : type(t), order(o), dims(d), data(p) {}
  ConstArrayView(const ArrayView& v) : type(v.type), order(v.order), dims(v.dims), data(v.data) {}  // NOLINT: implicit
};

// Owned elements, 64-byte aligned. Copying copies them. A moved-from Array may only be assigned to or destroyed.
class FOVEA_API Array {
 public:
  // Zeros. Throws kUsage for a negative extent, more than 8 axes or too many elements.
  Array(ElementType type, std::vector<std::int64_t> dims, AxisOrder order = AxisOrder::kRowMajor);
  Array(const Array& other);
  Array& operator=(const Array& other);
  Array(Array&&) noexcept;
  Array& operator=(Array&&) noexcept;
  ~Array();

  ElementType type() const;
  AxisOrder order() const;
  const std::vector<std::int64_t>& dims() const;
  std::size_t count() const;  // elements
  std::size_t bytes() const;
  void* data();
  const void* data() const;

  // The elements of a kF32 or kU8 array; any other throws kUsage.
  std::span<float> floats();
  std::span<const float> floats() const;
  std::span<std::uint8_t> u8s();
  std::span<const std::uint8_t> u8s() const;

  ArrayView view() { return {type(), order(), dims(), data()}; }
  ConstArrayView view() const { return {type(), order(), dims(), data()}; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
