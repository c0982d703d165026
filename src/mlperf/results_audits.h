// What became of one audit, by the files in its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace fovea::mlperf {

enum class AuditState : std::uint8_t {
  kPassed,
  kFailed,
  kUnfinished,  // its run, or its verdict, is not there
  kMissing,     // the rules ask for it, and there is nothing
};
const char* audit_state_name(AuditState state);  // "passed", "failed", "unfinished", "missing"

struct AuditResult {
  std::string name;  // "TEST04-A"
  AuditState state = AuditState::kMissing;
  std::string reason;  // what was found, in words
};

// `folder` is <…>/TEST01 and need not be there. `metric` is the benchmark's, as accuracy.txt writes it.
AuditResult read_audit(const std::filesystem::path& folder, const std::string& name, std::string_view metric);

}  // namespace fovea::mlperf
