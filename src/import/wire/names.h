// Names out of model files: what is accepted, and how errors show them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "import/wire/import_limits.h"

namespace fovea::wire {

// A name from a file as errors show it: at most 80 bytes, control characters replaced.
std::string shown(std::string_view name);
// Limits on the length of a name; control characters (also NUL) are refused.
Status check_name(std::string_view name, const ImportLimits& limits);

}  // namespace fovea::wire
