// Classifiers: networks from one image to one score a class, and how they are compiled everywhere.
#pragma once

#include "runtime/compile.h"
#include "zoo/load_model.h"

namespace fovea {

// The one image input of a classifier; an error says what the model has instead.
Status check_classifier(const LoadedModel& model);

// Options that a classifier is compiled with everywhere: channels-last pixels in, one plan.
CompileOptions classifier_compile_options(Precision precision, std::int64_t batch, const PlanOptions& plan);

}  // namespace fovea
