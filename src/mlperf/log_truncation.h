// Truncation of mlperf_log_accuracy.json, as MLCommons' truncate_accuracy_log.py does it: a submission holds the first
// and the last 4096 bytes of the log, and the SHA-256 of the whole in accuracy.txt.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fovea::mlperf {

struct TruncatedLog {
  std::string text;    // what a submission holds
  std::string sha256;  // of the whole log
};

// The log is read in pieces, however large it is. One of at most 10 KiB is cut as well, as the script does, unless it
// is shorter than the two ends together: then it stays whole. Errors name the file.
Result<TruncatedLog> truncate_accuracy_log(const std::filesystem::path& log);

// Whether truncate_accuracy_log or the script has been here: the mark between the ends is there.
bool is_truncated(std::string_view log);

// Of the line "hash=…" of an accuracy.txt; nothing if there is none.
std::optional<std::string> hash_in(std::string_view accuracy_text);
// The text with such a line at its end, and without any other.
std::string with_hash(std::string_view accuracy_text, std::string_view sha256);

}  // namespace fovea::mlperf
