// Fovea's public interface, whole: load a Model, compile it, run it; or classify photographs.
//
//   fovea::Classifier classifier(fovea::Model::load("efficientnet-lite0"));
//   for (const fovea::ClassScore& c : classifier.classify_file("cat.jpg")) …
//
// Errors are thrown as fovea::Exception. The library prints nothing and starts no threads but those of its Runners.
#pragma once

#include "fovea/classifier.h"
#include "fovea/error.h"
#include "fovea/runner.h"

namespace fovea {

// Of the library that is linked: "0.1.0".
FOVEA_API const char* version();

}  // namespace fovea
