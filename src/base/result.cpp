#include "base/result.h"

namespace fovea {

std::string Error::text() const {
  std::string out;
  for (auto context = contexts_.rbegin(); context != contexts_.rend(); ++context) out += *context + " › ";
  return out + message_;
}

void check_failed(const char* expression, const char* file, int line) {
  throw CheckFailure(fmt::format("internal check failed: {} ({}:{})", expression, file, line));
}

}  // namespace fovea
