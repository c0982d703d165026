// The edge between Results inside and exceptions outside: what every public function passes through.
#pragma once

#include <new>

#include "base/result.h"
#include "fovea/error.h"

namespace fovea::edge {

[[noreturn]] inline void raise(const Error& error) {
  // Targets and interruptions belong to the program; the library's calls cannot give them.
  throw Exception(static_cast<ErrorKind>(error.code()), error.text());
}

// Calls f() and turns whatever leaves it into an Exception.
template <class F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const Exception&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Exception(ErrorKind::kResource, "out of memory");
  } catch (const std::exception& error) {
    throw Exception(ErrorKind::kInternal, error.what());
  }
}

template <class T>
T take(Result<T> result) {
  if (!result.ok()) raise(result.error());
  return std::move(result).value();
}
inline void take(Status status) {
  if (!status.ok()) raise(status.error());
}

}  // namespace fovea::edge
