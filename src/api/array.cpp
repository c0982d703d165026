#include "fovea/array.h"

#include "api/edge.h"
#include "api/handles.h"

namespace fovea {

struct Array::Impl {
  Tensor tensor;
};

namespace {

Tensor zeros(ElementType type, std::vector<std::int64_t> dims, AxisOrder order) {
  if (dims.size() > kMaxRank)
    throw Exception(ErrorKind::kUsage,
                    fmt::format("an array of {} axes: at most {} are possible", dims.size(), kMaxRank));
  if (order == AxisOrder::kChannelsLast && dims.size() < 3)
    throw Exception(ErrorKind::kUsage, fmt::format("channels-last order needs 3 axes, found {}", dims.size()));
  const auto count = checked_element_count(dims);
  if (!count.ok()) throw Exception(ErrorKind::kUsage, count.error().text());
  Tensor tensor(internal(type), std::move(dims), internal(order));
  if (tensor.bytes() > 0) std::memset(tensor.raw(), 0, tensor.bytes());
  return tensor;
}

template <class T>
std::span<T> elements(Tensor& tensor) {
  if (tensor.dtype() != DTypeOf<T>::value)
    throw Exception(ErrorKind::kUsage, fmt::format("the array's elements are {}, not {}", dtype_name(tensor.dtype()),
                                                   dtype_name(DTypeOf<T>::value)));
  return tensor.as<T>();
}

}  // namespace

std::string_view element_type_name(ElementType type) { return dtype_name(internal(type)); }
std::size_t element_bytes(ElementType type) { return size_of(internal(type)); }

Array::Array(ElementType type, std::vector<std::int64_t> dims, AxisOrder order)
    : impl_(edge::guarded([&] { return std::make_unique<Impl>(Impl{zeros(type, std::move(dims), order)}); })) {}
Array::Array(const Array& other) : impl_(edge::guarded([&] { return std::make_unique<Impl>(*other.impl_); })) {}
Array& Array::operator=(const Array& other) {
  if (this != &other) impl_ = edge::guarded([&] { return std::make_unique<Impl>(*other.impl_); });
  return *this;
}
Array::Array(Array&&) noexcept = default;
Array& Array::operator=(Array&&) noexcept = default;
Array::~Array() = default;

ElementType Array::type() const { return external(impl_->tensor.dtype()); }
AxisOrder Array::order() const { return external(impl_->tensor.layout()); }
const std::vector<std::int64_t>& Array::dims() const { return impl_->tensor.dims(); }
std::size_t Array::count() const { return static_cast<std::size_t>(impl_->tensor.count()); }
std::size_t Array::bytes() const { return impl_->tensor.bytes(); }
void* Array::data() { return impl_->tensor.raw(); }
const void* Array::data() const { return std::as_const(impl_->tensor).raw(); }
std::span<float> Array::floats() { return elements<float>(impl_->tensor); }
std::span<const float> Array::floats() const { return elements<float>(impl_->tensor); }
std::span<std::uint8_t> Array::u8s() { return elements<std::uint8_t>(impl_->tensor); }
std::span<const std::uint8_t> Array::u8s() const { return elements<std::uint8_t>(impl_->tensor); }

}  // namespace fovea
