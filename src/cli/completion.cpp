// fovea completion: completion scripts made from the commands' own option lists, so that they are never out of date.
#include "cli/command.h"

namespace fovea::cli {
namespace {

struct Words {
  std::string command;
  std::vector<std::string> options;
};

std::vector<Words> all_words(const CLI::App& root) {
  std::vector<Words> all;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; })) {
    Words words{command->get_name(), {}};
    for (const CLI::Option* option : command->get_options())
      for (const std::string& name : option->get_lnames()) words.options.push_back("--" + name);
    all.push_back(std::move(words));
  }
  return all;
}

std::string bash_script(const std::vector<Words>& all) {
  std::string commands, cases;
  for (const Words& w : all) {
    commands += w.command + " ";
    cases += fmt::format("    {}) options=\"{}\" ;;\n", w.command, fmt::join(w.options, " "));
  }
  return fmt::format(R"(# bash completion for fovea: source <(fovea completion bash)
_fovea() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" options=""
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "{}--help --version" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _fovea fovea
)", commands, cases);
}

std::string fish_script(const std::vector<Words>& all) {
  std::string text = "# fish completion for fovea: fovea completion fish | source\n";
  for (const Words& w : all) {
    text += fmt::format("complete -c fovea -n __fish_use_subcommand -a {}\n", w.command);
    for (const std::string& option : w.options)
      text += fmt::format("complete -c fovea -n '__fish_seen_subcommand_from {}' -l {}\n", w.command, option.substr(2));
  }
  return text;
}

}  // namespace

void add_completion(CLI::App& command, Context& context) {
  auto shell = std::make_shared<std::string>();
  command.add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  add_common_options(command, context, "  source <(fovea completion bash)\n  fovea completion fish | source");
  command.callback([shell, &context, &command] {
    context.run = [shell, &context, &command]() -> Status {
      const auto words = all_words(*command.get_parent());
      std::string script = *shell == "fish" ? fish_script(words) : bash_script(words);
      if (*shell == "zsh") script = "autoload -U +X bashcompinit && bashcompinit\n" + script;
      say(context, script);
      return deliver(context, {{"shell", *shell}, {"script", script}});
    };
  });
}

}  // namespace fovea::cli
