#include "tests/fuzz/command_line.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>

namespace fovea::fuzz {
namespace {

bool read_number(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool read_flags(int argc, char** argv, std::span<const Flag> flags) {
  for (int i = 1; i < argc; i += 2) {
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == argv[i]; });
    if (flag == flags.end() || i + 1 == argc) return false;
    if (flag->number == nullptr)
      *flag->text = argv[i + 1];
    else if (!read_number(argv[i + 1], *flag->number))
      return false;
  }
  return true;
}

std::uint64_t peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
}

}  // namespace fovea::fuzz
