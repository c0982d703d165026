#include "backends/onednn/primitive_step.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

namespace fovea::onednn {
namespace {

// The arguments of a piece as oneDNN wants them, for one thread of one Session.
class BoundPiece {
 public:
  BoundPiece(const Piece& piece, const dnnl::stream& stream) : piece_(&piece), stream_(&stream) {
    for (const Argument& argument : piece.arguments) {
      void* fixed = nullptr;
      if (argument.at.place == Place::kPacked)
        fixed = const_cast<std::byte*>(piece.packed[static_cast<std::size_t>(argument.at.index)]->bytes.data()) +
                argument.at.offset_bytes;
      memories_.emplace_back(argument.desc, cpu_engine(), fixed);
      addresses_.push_back(fixed);
      arguments_.push_back({argument.id, memories_.back().get()});
    }
  }

  // Computes the piece for one image; `workspace` is this thread's own.
  void run(const StepContext& context, std::byte* workspace, std::int64_t image) {
    for (const StridedCopy& copy : piece_->before) run_copy(copy, context, workspace, image);
    for (std::size_t i = 0; i < memories_.size(); ++i) {
      const Address& at = piece_->arguments[i].at;
      if (at.place == Place::kPacked) continue;
      void* address = resolve(at, context, workspace, image);
      if (address == addresses_[i]) continue;
      check(dnnl_memory_set_data_handle(arguments_[i].memory, address));
      addresses_[i] = address;
    }
    check(dnnl_primitive_execute(piece_->primitive.get(), stream_->get(), static_cast<int>(arguments_.size()),
                                 arguments_.data()));
    for (const StridedCopy& copy : piece_->after) run_copy(copy, context, workspace, image);
  }

 private:
  static void check(dnnl_status_t status) {
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    FOVEA_CHECK(status == dnnl_success);
  }

  std::byte* resolve(const Address& at, const StepContext& context, std::byte* workspace, std::int64_t image) const {
    const std::int64_t offset = at.offset_bytes + image * at.image_bytes;
    const auto index = static_cast<std::size_t>(at.index);
    switch (at.place) {
      // oneDNN's memory objects know no constness; a source is never written.
      case Place::kInput:
        return static_cast<std::byte*>(const_cast<void*>(context.inputs[index])) + offset;
      case Place::kOutput:
        return static_cast<std::byte*>(context.outputs[index]) + offset;
      case Place::kPacked:
        return const_cast<std::byte*>(piece_->packed[index]->bytes.data()) + offset;
      case Place::kScratchpad:
        return workspace;
      case Place::kStaging:
        return workspace + round_up(piece_->scratchpad_bytes, kCacheLineBytes) + at.offset_bytes;
    }
    return nullptr;
  }

  void run_copy(const StridedCopy& copy, const StepContext& context, std::byte* workspace, std::int64_t image) const {
    const std::byte* from = resolve(copy.from, context, workspace, image);
    std::byte* to = resolve(copy.to, context, workspace, image);
    if (from == to) return;
    for (std::int64_t row = 0; row < copy.rows; ++row)
      std::memcpy(to + row * copy.to_stride, from + row * copy.from_stride, static_cast<std::size_t>(copy.row_bytes));
  }

  const Piece* piece_;
  const dnnl::stream* stream_;
  std::vector<dnnl::memory> memories_;
  std::vector<void*> addresses_;  // as last set
  std::vector<dnnl_exec_arg_t> arguments_;
};

std::size_t workspace_of(const Pieces& pieces) {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces)
    bytes = std::max(
        bytes, round_up(piece.scratchpad_bytes, kCacheLineBytes) + round_up(piece.staging_bytes, kCacheLineBytes));
  return bytes;
}

class PrimitiveStep : public Step {
 public:
  explicit PrimitiveStep(Program program) : program_(std::move(program)) {}

  void run(const StepContext& context) const override;
  std::unique_ptr<State> make_state(int threads) const override;

  std::size_t workspace_bytes(int threads) const override {
    return static_cast<std::size_t>(threads) * slot_bytes(division_for(threads));
  }

  std::size_t packed_bytes() const override {
    std::map<const PackedConstant*, std::size_t> constants;  // pieces share them
    for (const Piece& piece : program_.whole)
      for (const auto& constant : piece.packed) constants[constant.get()] = constant->bytes.size();
    std::size_t bytes = 0;
    for (const auto& [constant, size] : constants) bytes += size;
    return bytes;
  }

  // The pieces of one image for a team; `whole` where it cannot be divided. Made at most once a team size, when a plan
  // or a Session is set up, never by run().
  const Pieces& division_for(int threads) const {
    if (threads <= 1 || !program_.divide) return program_.whole;
    const std::lock_guard lock(mutex_);
    const auto found = divisions_.find(threads);
    if (found != divisions_.end()) return found->second.empty() ? program_.whole : found->second;
    auto pieces = program_.divide(threads);
    Pieces& kept = divisions_[threads];
    if (pieces.ok()) kept = std::move(pieces).value();
    return kept.empty() ? program_.whole : kept;
  }

 private:
  struct Team;
  std::size_t slot_bytes(const Pieces& division) const {
    return std::max(workspace_of(program_.whole), workspace_of(division));
  }

  Program program_;
  mutable std::mutex mutex_;
  mutable std::map<int, Pieces> divisions_;  // node addresses are stable
};

struct PrimitiveStep::Team : Step::State {
  struct Member {
    dnnl::stream stream{cpu_engine()};
    std::vector<BoundPiece> whole, divided;  // `divided` holds the pieces of this member only
  };
  std::vector<std::unique_ptr<Member>> members;
  std::int64_t undivided_images = 0;  // from the first image on
  std::size_t slot_bytes = 0;
};

std::unique_ptr<Step::State> PrimitiveStep::make_state(int threads) const {
  auto team = std::make_unique<Team>();
  const Pieces& division = division_for(threads);
  const bool divisible = division.size() > 1;
  const std::int64_t images = program_.images;
  team->undivided_images = divisible && threads > 1 ? images / threads * threads : images;
  team->slot_bytes = slot_bytes(division);
  for (int m = 0; m < threads; ++m) {
    auto member = std::make_unique<Team::Member>();
    if (m < team->undivided_images)
      for (const Piece& piece : program_.whole) member->whole.emplace_back(piece, member->stream);
    if (team->undivided_images < images)
      for (std::size_t p = static_cast<std::size_t>(m); p < division.size(); p += static_cast<std::size_t>(threads))
        member->divided.emplace_back(division[p], member->stream);
    team->members.push_back(std::move(member));
  }
  return team;
}

void PrimitiveStep::run(const StepContext& context) const {
  Team& team = *static_cast<Team*>(context.state);
  const auto threads = static_cast<int>(team.members.size());
  const int busy = team.undivided_images < program_.images
                       ? threads
                       : static_cast<int>(std::min<std::int64_t>(threads, program_.images));
  context.pool.run(busy, [&](int m) {
    const SingleThread single;
    Team::Member& member = *team.members[static_cast<std::size_t>(m)];
    std::byte* workspace = context.workspace + static_cast<std::size_t>(m) * team.slot_bytes;
    for (std::int64_t image = m; image < team.undivided_images; image += threads)
      for (BoundPiece& piece : member.whole) piece.run(context, workspace, image);
    for (std::int64_t image = team.undivided_images; image < program_.images; ++image)
      for (BoundPiece& piece : member.divided) piece.run(context, workspace, image);
  });
}

}  // namespace

std::unique_ptr<Step> make_primitive_step(Program program, int threads) {
  auto step = std::make_unique<PrimitiveStep>(std::move(program));
  step->division_for(threads);
  return step;
}

}  // namespace fovea::onednn
