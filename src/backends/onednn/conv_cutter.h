// ConvCutter: makes the pieces of a convolution, with their addresses and packed constants.
#pragma once

#include <optional>

#include "backends/onednn/conv_program.h"

namespace fovea::onednn {

// Bands of about equal height, at most `count`.
std::vector<ConvRegion> row_bands(const ConvProblem& problem, int count);
// About equal parts of whole blocks of 64 output channels, at most `count`.
std::vector<ConvRegion> channel_parts(const ConvProblem& problem, int count);

// Immutable. Works on the flattened form of a 1×1 convolution.
class ConvCutter {
 public:
  ConvCutter(const ConvProblem& problem, std::vector<float> bias, int residual_input);

  const ConvProblem& problem() const { return problem_; }

  // Packs the weights of a region in the order that the descriptor asks for.
  Result<std::shared_ptr<const PackedConstant>> pack_weights(const ConvRegion& region, const ConvDescriptor& descriptor,
                                                             const ConvWeights& weights) const;
  // `weights` hold the region's from `weights_offset_bytes` on.
  Result<Piece> make_piece(const ConvRegion& region, const ConvDescriptor& descriptor,
                           std::shared_ptr<const PackedConstant> weights, std::int64_t weights_offset_bytes = 0) const;
  // Pieces that use the kernel of `whole` and its weights; an error where oneDNN chooses otherwise for a region.
  Result<Pieces> make_bands(const ConvDescriptor& whole, const std::vector<ConvRegion>& bands,
                            const std::shared_ptr<const PackedConstant>& weights) const;
  Result<Pieces> make_channel_parts(const ConvDescriptor& whole, const std::vector<ConvRegion>& parts,
                                    const std::shared_ptr<const PackedConstant>& weights) const;
  // Whether two ways to compute one image agree in every byte, tried on random numbers.
  bool agree(const Pieces& a, const Pieces& b) const;

 private:
  void bind_target(const ConvRegion& region, const ConvDescriptor& descriptor, Piece& piece) const;

  ConvProblem problem_;
  std::vector<float> bias_;
  int residual_input_;
};

// The same generated kernel with the same order of weights.
bool same_kernel(const ConvDescriptor& a, const ConvDescriptor& b);

}  // namespace fovea::onednn
