// From the scores of a classification network to ranked classes with names.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/labels.h"
#include "graph/graph.h"

namespace fovea {

// True if the graph's first output comes from a Softmax, looking through reshapes, identities and quantisation.
bool outputs_probabilities(const Graph& graph);

struct RankedClass {
  int label = 0;          // data-set class: output index minus the label offset
  float probability = 0;  // of all outputs, a background class included
  std::string name;       // empty where there are no labels
};

struct RankOptions {
  int count = 5;
  int label_offset = 0;        // outputs before it (the background) are never ranked
  bool probabilities = false;  // the scores are probabilities already; otherwise a softmax is applied
  const Labels* labels = nullptr;
};

// The best classes of one image, best first; equal scores by the lower class, NaN last. At most `count`.
std::vector<RankedClass> top_k(std::span<const float> scores, const RankOptions& options);

// Place of `label` among the classes, from 0: the number of classes that are scored higher, or equal with a lower
// number. A label outside the classes, or one scored NaN, comes last.
int rank_of(std::span<const float> scores, int label, int label_offset);

}  // namespace fovea
