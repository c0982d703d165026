// fovea mlperf: the commands around MLPerf Inference. mlperf_commands.inc is the list; each has its file
// mlperf_<name>.cpp.
#include "cli/command.h"

namespace fovea::cli {

#define MLPERF_COMMAND(function, name, summary) void function(CLI::App& command, Context& context);
#include "cli/mlperf_commands.inc"
#undef MLPERF_COMMAND

void add_mlperf(CLI::App& command, Context& context) {
  constexpr Command kCommands[] = {
#define MLPERF_COMMAND(function, name, summary) {name, summary, function},
#include "cli/mlperf_commands.inc"
#undef MLPERF_COMMAND
  };
  command.require_subcommand(1);
  command.footer(
      "Examples:\n"
      "  fovea mlperf loadgen\n"
      "  fovea mlperf COMMAND --help");
  for (const Command& one : kCommands) one.add(*command.add_subcommand(one.name, one.summary), context);
}

}  // namespace fovea::cli
