#include "plan/move_steps.h"

#include <cstring>

namespace fovea {
namespace {

class ReorderStep : public Step {
 public:
  ReorderStep(DType dtype, Dims dims, Layout from, Layout to)
      : element_bytes_(size_of(dtype)), dims_(std::move(dims)), from_(from), to_(to) {
    if (same_bytes(dims_, from_, to_)) to_ = from_;
    image_dims_ = dims_;
    if (!image_dims_.empty()) image_dims_[0] = 1;
    images_ = dims_.empty() ? 1 : dims_[0];
    image_bytes_ = static_cast<std::size_t>(element_count(image_dims_)) * element_bytes_;
  }

  void run(const StepContext& context) const override {
    const auto* from = static_cast<const std::byte*>(context.inputs[0]);
    auto* to = static_cast<std::byte*>(context.outputs[0]);
    if (image_bytes_ == 0 || images_ == 0) return;
    if (from_ == to_) {
      std::memcpy(to, from, image_bytes_ * static_cast<std::size_t>(images_));
      return;
    }
    context.pool.run(static_cast<int>(images_), [&](int image) {
      const std::size_t offset = image_bytes_ * static_cast<std::size_t>(image);
      reorder(from + offset, from_, to + offset, to_, image_dims_, element_bytes_);
    });
  }

 private:
  std::size_t element_bytes_;
  Dims dims_, image_dims_;
  std::int64_t images_ = 1;
  std::size_t image_bytes_ = 0;
  Layout from_, to_;
};

}  // namespace

bool same_bytes(const Dims& dims, Layout a, Layout b) {
  if (a == b || dims.size() < 3) return true;
  const std::int64_t pixels = element_count(Dims(dims.begin() + 2, dims.end()));
  return dims[1] == 1 || pixels == 1;
}

std::unique_ptr<Step> make_reorder_step(DType dtype, Dims dims, Layout from, Layout to) {
  return std::make_unique<ReorderStep>(dtype, std::move(dims), from, to);
}

}  // namespace fovea
