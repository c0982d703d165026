// The flags of the fuzz programs, and what their limits are held against.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fovea::fuzz {

// A flag that a value follows: a number, or a text where `number` is null.
struct Flag {
  std::string_view name;
  std::uint64_t* number = nullptr;
  std::string* text = nullptr;
};

// Fills in what is given; false for anything else.
bool read_flags(int argc, char** argv, std::span<const Flag> flags);

// Peak resident memory of this process.
std::uint64_t peak_mib();

}  // namespace fovea::fuzz
