// A reader of Python pickles that executes nothing: opcodes build plain data, calls are recorded as data, and only
// names on an allow-list may appear. Format: Python's Lib/pickletools.py.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fovea::torch_import {

// Index of a value in its document. Values may be shared and may form cycles, as in Python.
using PickleRef = std::uint32_t;

struct PickleValue {
  enum class Kind : std::uint8_t {
    kNone,
    kBool,        // integer
    kInt,         // integer
    kBigInt,      // text: little-endian two's complement, more than 8 bytes
    kFloat,       // real
    kText,        // text
    kBytes,       // text
    kTuple,       // items
    kList,        // items
    kDict,        // items: key, value, key, value…
    kGlobal,      // text: "module.name"
    kCall,        // items: the global, its arguments as a tuple
    kPersistent,  // items: the persistent id
  };
  Kind kind = Kind::kNone;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<PickleRef> items;
};
const char* kind_name(PickleValue::Kind kind);  // "tuple", "global"…

struct PickleDocument {
  std::vector<PickleValue> values;
  PickleRef root = 0;
  std::size_t bytes_read = 0;  // up to and with STOP
  const PickleValue& operator[](PickleRef ref) const { return values[ref]; }
};

// A global that may appear. kDictType called makes a dict, kFunction called makes a kCall, kName may not be called.
struct AllowedGlobal {
  enum class Use : std::uint8_t { kDictType, kFunction, kName };
  std::string_view module, name;
  Use use = Use::kName;
};

// Reads one pickle from the front of `bytes`. Memory is linear in the size of the pickle; beyond 1 M values, 1 M memo
// slots, 10 k stack entries, 1 MiB a string or 64 MiB a pickle it is refused. Errors name the opcode and its offset.
Result<PickleDocument> read_pickle(std::span<const std::byte> bytes, std::span<const AllowedGlobal> allowed);

}  // namespace fovea::torch_import
