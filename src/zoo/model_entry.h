// ModelEntry: what is known of a model, as data. One JSON file a model in zoo/models/, in the schema described here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zoo/model_preprocess.h"

namespace fovea {

struct ModelEntry {
  // A file that holds the model; any one of an entry's files will do.
  struct File {
    std::string name;    // without folders
    std::string sha256;  // lower-case hex
  };
  struct Input {
    std::string name;
    int channels = 3, height = 0, width = 0;
  };
  // Reference accuracy on a set of images, in percent.
  struct Accuracy {
    std::string set;
    int images = 0;
    double top1 = 0;
    std::optional<double> top5;
  };

  std::string name;                      // "name": lower case, words joined by '-'
  std::vector<std::string> aliases;      // "aliases": other names that find it
  std::string description;               // "description": one line
  std::string precision;                 // "precision": "fp32" or "int8-qdq"
  std::vector<File> files;               // "files"
  std::string source;                    // "source": where the weights come from
  std::string licence;                   // "licence" of the weights
  std::string network;                   // "network" (optional): a builder of zoo/networks.inc
  Input input;                           // "input": batch excluded
  Preprocess preprocess;                 // "preprocess": {"preset", then anything that differs from it}
  int classes = 0;                       // "classes": outputs of the network
  int label_offset = 0;                  // "label_offset": 1 where class 0 is the background
  std::string labels;                    // "labels": a file of zoo/labels without ".txt", or empty
  std::string dataset;                   // "dataset": "imagenet", "cifar10"
  std::vector<Accuracy> accuracy;        // "accuracy": measured references
  std::optional<double> published_top1;  // "published_top1": the authors' figure on the full validation set
  std::string notes;                     // "notes" (optional)
};

// Reads one entry. Errors name the key and what was expected; unknown keys are errors.
Result<ModelEntry> parse_model_entry(std::string_view json);

// What differs from a model's own pre-processing, as a JSON object with the keys of "preprocess", all of them optional:
// how a file remembers the options that it was made with.
std::string to_json(const PreprocessOverrides& overrides);
Result<PreprocessOverrides> parse_preprocess_overrides(std::string_view json);

}  // namespace fovea
