#include "fovea/error.h"

#include "fovea/fovea.h"

namespace fovea {

Exception::Exception(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
Exception::Exception(const Exception&) noexcept = default;
Exception& Exception::operator=(const Exception&) noexcept = default;
Exception::~Exception() = default;

const char* version() { return FOVEA_VERSION; }

}  // namespace fovea
