// ImageExample: an image with its label as TensorFlow's ImageNet scripts keep it in a record (tf.train.Example).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace fovea {

// The keys of datasets/imagenet/imagenet_to_gcs.py; readers need "image/encoded" alone.
struct ImageExample {
  std::vector<std::byte> encoded;      // "image/encoded": a JPEG or PNG file
  std::int64_t label = -1;             // "image/class/label", as written; -1: none. ImageNet's count from 1
  std::string filename;                // "image/filename", without folders; may be empty
  std::string synset;                  // "image/class/synset": the WordNet id; may be empty
  std::int64_t width = 0, height = 0;  // "image/width", "image/height"; 0: not said
  std::string format = "JPEG";         // "image/format": "JPEG" or "PNG"
};

// Errors name the key, what was expected and what was found. Features that are not listed above are passed over.
Result<ImageExample> parse_image_example(std::span<const std::byte> record);

// Channels 3 and colour space RGB are added, as in TensorFlow's. The same example gives the same bytes.
std::vector<std::byte> serialise(const ImageExample& example);

}  // namespace fovea
