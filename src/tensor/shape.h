// Shape: extents of a tensor, each fixed, symbolic ("N") or unknown. Never strides. Also Layout: the physical order.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fovea {

// Fixed extents, outermost first, of a tensor that exists.
using Dims = std::vector<std::int64_t>;

inline constexpr int kMaxRank = 8;

// Product of the extents; an error on a negative extent or when it exceeds 2^46 elements.
Result<std::int64_t> checked_element_count(const Dims& dims);
// The same for dims known to be valid.
std::int64_t element_count(const Dims& dims);
std::string to_string(const Dims& dims);  // "[1,3,224,224]"

// One extent.
class Dim {
 public:
  Dim() = default;  // unknown
  Dim(std::int64_t extent) : extent_(extent) {}  // NOLINT: implicit by design
  static Dim symbolic(std::string name) {
    Dim d;
    d.symbol_ = std::move(name);
    return d;
  }
  bool is_fixed() const { return extent_ >= 0; }
  std::int64_t extent() const { return extent_; }             // -1 unless fixed
  const std::string& symbol() const { return symbol_; }       // empty unless symbolic
  bool operator==(const Dim&) const = default;
  // False only if both are fixed and differ.
  bool may_equal(const Dim& other) const { return !is_fixed() || !other.is_fixed() || extent_ == other.extent_; }
  std::string text() const { return is_fixed() ? std::to_string(extent_) : symbol_.empty() ? "?" : symbol_; }

 private:
  std::int64_t extent_ = -1;
  std::string symbol_;
};

// Extents in the operator's logical order (NCHW for images), whatever the Layout.
class Shape {
 public:
  Shape() = default;  // unranked: not even the number of extents is known
  Shape(std::vector<Dim> dims) : ranked_(true), dims_(std::move(dims)) {}  // NOLINT
  Shape(std::initializer_list<Dim> dims) : ranked_(true), dims_(dims) {}
  explicit Shape(const Dims& dims) : ranked_(true), dims_(dims.begin(), dims.end()) {}

  bool is_ranked() const { return ranked_; }
  int rank() const { return static_cast<int>(dims_.size()); }  // 0 for unranked as for scalars
  const Dim& operator[](int axis) const { return dims_[static_cast<std::size_t>(axis)]; }
  Dim& operator[](int axis) { return dims_[static_cast<std::size_t>(axis)]; }
  const std::vector<Dim>& dims() const { return dims_; }
  bool is_fixed() const;                   // ranked and every extent fixed
  std::optional<Dims> fixed() const;       // the extents, if all are
  bool operator==(const Shape&) const = default;
  bool may_equal(const Shape& other) const;
  std::string text() const;                // "[N,3,224,224]", "[*]" when unranked

 private:
  bool ranked_ = false;
  std::vector<Dim> dims_;
};

// Physical order of the axes. kChannelsLast moves axis 1 to the end (NHWC for rank 4) and needs rank >= 3.
enum class Layout : std::uint8_t { kRowMajor, kChannelsLast };
const char* layout_name(Layout layout);  // "row_major", "channels_last"

}  // namespace fovea
