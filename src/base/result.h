// Result<T>: a value or an Error with its chain of contexts. Wrong input is a Result, a broken invariant is a CheckFailure.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fovea {

// What went wrong, coarsely. The numbers are the process exit codes of the program (docs/exit-codes.md).
enum class ErrorCode : int {
  kInternal = 1,     // a bug in Fovea
  kUsage = 2,        // wrong flags or arguments
  kBadInput = 3,     // a file or a tensor that is missing, malformed or of the wrong shape
  kUnsupported = 4,  // valid, but not something this version or this CPU can do
  kAccuracy = 5,     // an accuracy target was missed
  kPerformance = 6,  // a performance target was missed
  kUnstable = 7,     // a measurement too noisy to report
  kResource = 8,     // a limit on memory, size or time was reached
  kInterrupted = 9,  // stopped by the user; partial results are marked as such
};

// An error message with the contexts it passed through, outermost first:
// "importing m.onnx › node conv_12 › attribute pads: expected 4 values, found 2".
class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // Adds an outer context; returns itself so that it can be used in a return statement.
  Error&& within(std::string context) && {
    contexts_.push_back(std::move(context));
    return std::move(*this);
  }
  // The whole chain as one line.
  std::string text() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::vector<std::string> contexts_;  // innermost first
};

template <class... Args>
Error make_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error(code, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error bad_input(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kBadInput, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error unsupported(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kUnsupported, fmt::format(format, std::forward<Args>(args)...));
}

// A broken invariant: thrown by FOVEA_CHECK, caught only at the edge (main, the public headers).
class CheckFailure : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::move(error)) {}  // NOLINT

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }
  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& { return std::get<Error>(state_); }
  Error&& error() && { return std::get<Error>(std::move(state_)); }

 private:
  T& checked() {
    if (!ok()) throw CheckFailure("value() of a failed Result: " + error().text());
    return std::get<T>(state_);
  }
  std::variant<T, Error> state_;
};

// Result without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_{std::move(error)} {}  // NOLINT

  bool ok() const { return error_.empty(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return error_.front(); }
  Error&& error() && { return std::move(error_.front()); }

 private:
  std::vector<Error> error_;  // empty or one: keeps success a few words and trivially cheap
};
using Status = Result<void>;

}  // namespace fovea

// Broken invariants (bugs), never input errors.
#define FOVEA_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::fovea::check_failed(#condition, __FILE__, __LINE__))

#define FOVEA_CONCAT_INNER(a, b) a##b
#define FOVEA_CONCAT(a, b) FOVEA_CONCAT_INNER(a, b)
// FOVEA_TRY(auto x, expression): x is the value, or the function returns the error.
#define FOVEA_TRY(declaration, ...) FOVEA_TRY_INNER(FOVEA_CONCAT(fovea_try_, __LINE__), declaration, __VA_ARGS__)
#define FOVEA_TRY_INNER(temporary, declaration, ...)      \
  auto temporary = (__VA_ARGS__);                         \
  if (!temporary.ok()) return std::move(temporary).error(); \
  declaration = std::move(temporary).value()
// Returns the error of a Status, if it has one.
#define FOVEA_RETURN_IF_ERROR(...)                                     \
  do {                                                                 \
    auto fovea_status = (__VA_ARGS__);                                 \
    if (!fovea_status.ok()) return std::move(fovea_status).error();    \
  } while (false)
