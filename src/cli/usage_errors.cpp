#include "cli/usage_errors.h"

#include <fmt/format.h>

#include "base/suggest.h"

namespace fovea::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  return names;
}

}  // namespace

std::string explain_usage_error(const CLI::App& app, const CLI::ParseError& error,
                                const std::vector<std::string>& command_line) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) {
    if (command_line.size() > 1 && command_line[1].rfind("-", 0) != 0)
      return fmt::format("there is no command '{}'{}; `fovea --help` lists them", command_line[1],
                         did_you_mean(command_line[1], command_names(app)));
    return "a command is needed; `fovea --help` lists them";
  }
  const CLI::App& command = *chosen.front();
  const std::string help = fmt::format("; see `fovea {} --help`", command.get_name());
  for (const std::string& extra : app.remaining(true)) {
    const std::string flag = extra.substr(0, extra.find('='));
    if (flag.rfind("--", 0) == 0)
      return fmt::format("{} has no option {}{}{}", command.get_name(), flag, did_you_mean(flag, option_names(command)), help);
    return fmt::format("{} does not take '{}'{}", command.get_name(), extra, help);
  }
  return std::string(error.what()) + help;
}

}  // namespace fovea::cli
