#include "tensor/tensor.h"

#include <type_traits>

namespace fovea {
namespace {

template <class T>
constexpr bool kIsSmallFloat = std::is_same_v<T, Half> || std::is_same_v<T, Bf16>;

template <class To, class From>
To convert(From value) {
  if constexpr (kIsSmallFloat<From>)
    return convert<To>(static_cast<float>(value));
  else if constexpr (kIsSmallFloat<To>)
    return To(static_cast<float>(value));
  else if constexpr (std::is_same_v<To, bool>)
    return value != From{};
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    // Through int64 the conversion is defined for every value that fits there; the rest becomes 0.
    return value >= static_cast<From>(-9.2e18) && value <= static_cast<From>(9.2e18)
               ? static_cast<To>(static_cast<std::int64_t>(value))
               : To{};
  else
    return static_cast<To>(value);
}

template <class T>
void reorder_as(const void* from, bool to_channels_last, void* to, std::int64_t batch, std::int64_t channels,
                std::int64_t pixels) {
  const T* src = static_cast<const T*>(from);
  T* dst = static_cast<T*>(to);
  // Rows and columns of a transpose; 16-wide tiles keep both sides within a few cache lines.
  const std::int64_t rows = to_channels_last ? channels : pixels, columns = to_channels_last ? pixels : channels;
  constexpr std::int64_t kTile = 16;
  for (std::int64_t n = 0; n < batch; ++n, src += rows * columns, dst += rows * columns)
    for (std::int64_t r0 = 0; r0 < rows; r0 += kTile)
      for (std::int64_t c0 = 0; c0 < columns; c0 += kTile)
        for (std::int64_t c = c0; c < std::min(columns, c0 + kTile); ++c)
          for (std::int64_t r = r0; r < std::min(rows, r0 + kTile); ++r) dst[c * rows + r] = src[r * columns + c];
}

}  // namespace

Tensor::Tensor(DType dtype, Dims dims, Layout layout) : dtype_(dtype), layout_(layout), dims_(std::move(dims)) {
  count_ = element_count(dims_);
  FOVEA_CHECK(count_ >= 0);
  buffer_ = AlignedBuffer(bytes());
}

Tensor Tensor::borrow(DType dtype, Dims dims, const void* data, std::shared_ptr<const void> keep_alive) {
  Tensor t;
  t.dtype_ = dtype;
  t.dims_ = std::move(dims);
  t.count_ = element_count(t.dims_);
  t.borrowed_ = data;
  t.keep_alive_ = std::move(keep_alive);
  return t;
}

Tensor Tensor::zeros(DType dtype, Dims dims) {
  Tensor t(dtype, std::move(dims));
  if (t.bytes() > 0) std::memset(t.raw(), 0, t.bytes());
  return t;
}

Tensor::Tensor(const Tensor& other)
    : dtype_(other.dtype_), layout_(other.layout_), dims_(other.dims_), count_(other.count_), buffer_(other.bytes()) {
  if (bytes() > 0) std::memcpy(buffer_.data(), other.raw(), bytes());
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) *this = Tensor(other);
  return *this;
}

Tensor Tensor::reshaped(Dims dims) const& { return Tensor(*this).reshaped(std::move(dims)); }

Tensor Tensor::reshaped(Dims dims) && {
  FOVEA_CHECK(element_count(dims) == count_ && layout_ == Layout::kRowMajor);
  Tensor t = std::move(*this);
  t.dims_ = std::move(dims);
  return t;
}

Tensor Tensor::cast(DType to) const {
  Tensor out(to, dims_, layout_);
  dispatch(dtype_, [&](auto from_tag) {
    using From = decltype(from_tag);
    dispatch(to, [&](auto to_tag) {
      using To = decltype(to_tag);
      const auto src = as<From>();
      const auto dst = out.as<To>();
      for (std::size_t i = 0; i < src.size(); ++i) dst[i] = convert<To>(src[i]);
    });
  });
  return out;
}

Tensor Tensor::in_layout(Layout to) const {
  if (to == layout_) return *this;
  Tensor out(dtype_, dims_, to);
  reorder(raw(), layout_, out.raw(), to, dims_, size_of(dtype_));
  return out;
}

std::vector<std::int64_t> Tensor::to_int64s() const {
  FOVEA_CHECK(!is_float(dtype_));
  std::vector<std::int64_t> out;
  dispatch(dtype_, [&](auto tag) {
    for (const auto v : as<decltype(tag)>()) out.push_back(convert<std::int64_t>(v));
  });
  return out;
}

std::vector<float> Tensor::to_floats() const {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(count_));
  dispatch(dtype_, [&](auto tag) {
    for (const auto v : as<decltype(tag)>()) out.push_back(convert<float>(v));
  });
  return out;
}

void reorder(const void* from, Layout from_layout, void* to, Layout to_layout, std::span<const std::int64_t> dims,
             std::size_t element_bytes) {
  const std::int64_t count = element_count(Dims(dims.begin(), dims.end()));
  if (count == 0) return;
  if (from_layout == to_layout || dims.size() < 3) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * element_bytes);
    return;
  }
  const std::int64_t batch = dims[0], channels = dims[1], pixels = count / (batch * channels);
  const bool to_last = to_layout == Layout::kChannelsLast;
  switch (element_bytes) {
    case 1: return reorder_as<std::uint8_t>(from, to_last, to, batch, channels, pixels);
    case 2: return reorder_as<std::uint16_t>(from, to_last, to, batch, channels, pixels);
    case 4: return reorder_as<std::uint32_t>(from, to_last, to, batch, channels, pixels);
    case 8: return reorder_as<std::uint64_t>(from, to_last, to, batch, channels, pixels);
    default: throw CheckFailure("reorder: element size");
  }
}

}  // namespace fovea
