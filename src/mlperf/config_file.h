// ConfigFile: mlperf.conf, user.conf and audit.config in LoadGen's grammar, read strictly: every line is understood or
// an error that names it. LoadGen itself passes over unknown keys in silence.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mlperf/loadgen.h"

namespace fovea::mlperf {

enum class ConfigKind : std::uint8_t {
  kRules,  // mlperf.conf: everything
  kUser,   // user.conf: no seeds, no logging of responses, no audit
  kAudit,  // audit.config: everything
};

struct ConfigEntry {
  std::string model, scenario, key, value;  // model and scenario may be "*"
  int line = 0;
};

struct ConfigFile {
  std::string name;  // for messages
  ConfigKind kind = ConfigKind::kUser;
  std::vector<ConfigEntry> entries;
};

// Lines "model.scenario.key = value", values integers or decimals, comments from #. Errors: "user.conf, line 3: unknown
// key 'min_durration'; did you mean 'min_duration'?", an unknown scenario, a value that is no number, a key twice, a
// key that this kind of file may not set.
Result<ConfigFile> parse_config(std::string_view text, std::string name, ConfigKind kind);
Result<ConfigFile> read_config(const std::filesystem::path& path, ConfigKind kind);

// What the file says for one of `models` (in this order of preference) in the settings' scenario, into the settings.
// Lookup as LoadGen's: model.scenario, *.scenario, model.*, *.*. Times in the file are milliseconds, percentiles are
// percent. `fixed_interval`: MultiStream's target_latency and target_qps are those of the rules up to v1.0.
void apply_config(const ConfigFile& config, std::span<const std::string> models, bool fixed_interval,
                  TestSettings& settings);

}  // namespace fovea::mlperf
