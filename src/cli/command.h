// Command: one verb of the program. A file a command; commands.inc is the list.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/result.h"

namespace fovea::cli {

// What every command gets.
struct Context {
  std::vector<std::string> command_line;
  const std::atomic<bool>* stop = nullptr;  // set by the first Ctrl-C
  bool json = false;                        // --json: the record goes to standard output, nothing else does
  bool quiet = false;                       // --quiet: no progress
  std::string output;                       // --output FILE: the record goes there as well
  std::function<Status()> run;              // set by the command that was chosen
};

struct Command {
  const char* name;
  const char* summary;
  void (*add)(CLI::App& command, Context& context);  // declares options and sets context.run when chosen
};

std::span<const Command> commands();

#define COMMAND(function, name, summary) void function(CLI::App& command, Context& context);
#include "cli/commands.inc"
#undef COMMAND

// Adds --json, --output and --quiet, and an example behind the help.
void add_common_options(CLI::App& command, Context& context, const std::string& examples);

// Delivers a result: to --output FILE (temp and rename), and to standard output under --json. `fields` are merged into a
// record of report/record.h.
Status deliver(const Context& context, const nlohmann::json& fields);

// Human-readable text to standard output, or nowhere under --json.
void say(const Context& context, const std::string& text);
// Warnings and notices to standard error, prefixed "fovea: ".
void warn(const std::string& text);

}  // namespace fovea::cli
