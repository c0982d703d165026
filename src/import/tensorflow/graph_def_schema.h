// Which messages a GraphDef nests, for the walk before it is parsed.
#pragma once

#include "import/wire/wire_scan.h"

namespace fovea::tensorflow_import {

const wire::Schema& graph_def_schema();

}  // namespace fovea::tensorflow_import
