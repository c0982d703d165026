#include "cli/command.h"

#include <cstdio>

#include "base/atomic_file.h"
#include "report/record.h"

namespace fovea::cli {
namespace {

constexpr Command kCommands[] = {
#define COMMAND(function, name, summary) {name, summary, function},
#include "cli/commands.inc"
#undef COMMAND
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

void add_common_options(CLI::App& command, Context& context, const std::string& examples) {
  command.add_flag("--json", context.json, "Print the result as JSON to standard output (keys: docs/json.md)");
  command.add_option("--output", context.output, "Write the JSON record to this file as well")->type_name("FILE");
  command.add_flag("-q,--quiet", context.quiet, "No progress on standard error");
  command.footer("Examples:\n" + examples);
}

Status deliver(const Context& context, const nlohmann::json& fields) {
  if (!context.json && context.output.empty()) return {};
  nlohmann::json record = make_record(context.command_line);
  record.update(fields);
  // Names from files may hold bytes that are no UTF-8; they must not cost the result.
  const std::string text = record.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (!context.output.empty()) FOVEA_RETURN_IF_ERROR(write_file_atomically(context.output, text));
  if (context.json && std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    return make_error(ErrorCode::kResource, "cannot write to standard output");
  return {};
}

void say(const Context& context, const std::string& text) {
  if (!context.json) std::fwrite(text.data(), 1, text.size(), stdout);
}

void warn(const std::string& text) { fmt::print(stderr, "fovea: {}\n", text); }

}  // namespace fovea::cli
