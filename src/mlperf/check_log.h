// RunLog: what the two log files of one LoadGen run say, whichever of LoadGen's formats they have.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fovea::mlperf {

// Of v1.0 and later, mlperf_log_detail.txt has one ":::MLLOG " line of JSON an event; in v0.5 and v0.7 it is plain text
// and everything of interest stands in mlperf_log_summary.txt. The keys here are those of the JSON log
// ("effective_qsl_rng_seed", "result_validity"); what the summary alone has is translated to them.
struct RunLog {
  bool json = false;                           // the detail log's format
  bool finished = false;                       // LoadGen came to its end: the summary's last sentence is there
  std::map<std::string, std::string> values;   // JSON text without quotes; of a repeated key the first
  std::map<std::string, std::string> summary;  // "Samples per second", "qsl_rng_seed"…, as written
  std::vector<std::string> errors;             // at most 100
  std::int64_t warnings = 0;
  std::vector<std::string> malformed;  // what is wrong with the lines themselves, "line 12: …"; at most 10

  // Nothing where the key is missing or, for numbers, no number.
  std::optional<std::string> text(const std::string& key) const;
  std::optional<std::int64_t> integer(const std::string& key) const;
  std::optional<std::uint64_t> unsigned_integer(const std::string& key) const;
  std::optional<double> real(const std::string& key) const;
  std::optional<bool> flag(const std::string& key) const;  // "true" and "1" are true, anything else false
  bool valid() const;                                      // the result counts, says LoadGen
};

inline constexpr std::uint64_t kMaxSummaryBytes = 1 << 20;
inline constexpr std::uint64_t kMaxDetailBytes = 256 << 20;

// Errors: a file is missing, no regular file, too large or cannot be read; the message names it. Damaged lines are no
// error but `malformed`: a run that was killed leaves half a line.
Result<RunLog> read_run_log(const std::filesystem::path& folder);

// True where the folder holds something, but not the whole of a run.
bool is_unfinished(const RunLog& log, bool performance);

}  // namespace fovea::mlperf
