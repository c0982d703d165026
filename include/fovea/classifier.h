// Classifier: from a photograph to named classes, with the model's own decoding and pre-processing.
#pragma once

#include "fovea/runner.h"

namespace fovea {

struct ClassScore {
  int label = 0;          // class of the data set: output index minus the label offset
  float probability = 0;  // 0…1
  std::string name;       // empty where the model has no labels
};

// One thread at a time; different Classifiers are independent, also on one Model.
class FOVEA_API Classifier {
 public:
  // Throws kUnsupported unless the model is an image classifier: one input of rank 4, one output of scores. The batch
  // and the input order of `settings` are not used: images go one by one.
  explicit Classifier(const Model& model, const CompileSettings& settings = {});
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;
  ~Classifier();

  // The best `count` classes, best first. JPEG or PNG; a photograph is turned as its EXIF orientation says. Throws
  // kBadInput for what is no image or a damaged one, kResource for one beyond the limits (SECURITY.md).
  std::vector<ClassScore> classify_file(const std::string& path, int count = 5);
  std::vector<ClassScore> classify_encoded(std::span<const std::byte> jpeg_or_png, int count = 5);
  // Rows from the top, R G B each a byte, no gaps: 3 * width * height bytes.
  std::vector<ClassScore> classify_rgb(std::span<const std::uint8_t> rgb, int width, int height, int count = 5);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
