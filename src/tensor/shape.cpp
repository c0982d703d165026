#include "tensor/shape.h"

#include <algorithm>

namespace fovea {

Result<std::int64_t> checked_element_count(const Dims& dims) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 46;
  std::int64_t count = 1;
  bool empty = false;
  for (std::int64_t d : dims) {
    if (d < 0) return bad_input("shape {} has a negative extent", to_string(dims));
    if (d == 0) {
      empty = true;
      continue;
    }
    if (count > kLimit / d)
      return make_error(ErrorCode::kResource, "shape {} has more than 2^46 elements", to_string(dims));
    count *= d;
  }
  return empty ? 0 : count;
}

std::int64_t element_count(const Dims& dims) {
  std::int64_t count = 1;
  for (std::int64_t d : dims) count *= d;
  return count;
}

std::string to_string(const Dims& dims) { return fmt::format("[{}]", fmt::join(dims, ",")); }

bool Shape::is_fixed() const {
  return ranked_ && std::all_of(dims_.begin(), dims_.end(), [](const Dim& d) { return d.is_fixed(); });
}

std::optional<Dims> Shape::fixed() const {
  if (!is_fixed()) return std::nullopt;
  Dims out;
  for (const Dim& d : dims_) out.push_back(d.extent());
  return out;
}

bool Shape::may_equal(const Shape& other) const {
  if (!ranked_ || !other.ranked_) return true;
  if (rank() != other.rank()) return false;
  for (int i = 0; i < rank(); ++i)
    if (!dims_[static_cast<std::size_t>(i)].may_equal(other[i])) return false;
  return true;
}

std::string Shape::text() const {
  if (!ranked_) return "[*]";
  std::string out = "[";
  for (const Dim& d : dims_) out += (out.size() > 1 ? "," : "") + d.text();
  return out + "]";
}

const char* layout_name(Layout layout) { return layout == Layout::kRowMajor ? "row_major" : "channels_last"; }

}  // namespace fovea
