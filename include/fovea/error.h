// Exception: how every function of the public headers reports what went wrong.
#pragma once

#include <stdexcept>
#include <string>

// What the shared library shows to its users; everything else is hidden.
#define FOVEA_API __attribute__((visibility("default")))

namespace fovea {

// What went wrong, coarsely. The numbers are the exit codes of the program (docs/exit-codes.md).
enum class ErrorKind : int {
  kInternal = 1,     // a bug in Fovea
  kUsage = 2,        // an argument that means nothing: an unknown name, a batch of 0
  kBadInput = 3,     // a file or an array that is missing, malformed or of the wrong shape
  kUnsupported = 4,  // valid, but not something this version or this CPU can do
  kResource = 8,     // a limit on memory, size or time was reached
};

// what() is one line with the contexts from the outside in:
// "importing m.onnx › node conv_12 › attribute pads: expected 4 values, found 2".
// Nothing else leaves the functions of these headers, std::bad_alloc included (kResource).
class FOVEA_API Exception : public std::runtime_error {
 public:
  Exception(ErrorKind kind, const std::string& text);
  Exception(const Exception&) noexcept;
  Exception& operator=(const Exception&) noexcept;
  ~Exception() override;

  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace fovea
