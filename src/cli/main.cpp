// fovea: the program. Declares the commands, runs the chosen one, and turns errors into one line and an exit code.
#include <csignal>
#include <cstdio>
#include <new>

#include <unistd.h>

#include "base/knobs.h"
#include "cli/command.h"
#include "cli/usage_errors.h"

namespace {

std::atomic<bool> stop_requested{false};

// The first Ctrl-C asks the command to finish its step and keep what it has; the second ends the process.
void on_interrupt(int) {
  if (stop_requested.exchange(true)) _exit(static_cast<int>(fovea::ErrorCode::kInterrupted));
}

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed standard output is an error of its own, not a death
}

int report(const fovea::Error& error) {
  fmt::print(stderr, "fovea: error: {}\n", error.text());
  return static_cast<int>(error.code());
}

int run_program(int argc, char** argv) {
  using namespace fovea;
  cli::Context context;
  context.command_line.assign(argv, argv + argc);
  context.stop = &stop_requested;

  CLI::App app{"Fovea: measured, accurate, fast convolutional vision networks on CPUs."};
  app.name("fovea");
  app.set_version_flag("--version", std::string("fovea ") + FOVEA_VERSION);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad input, 4 unsupported, 5 accuracy, 6 performance,\n"
             "7 unstable measurement, 8 resource limit, 9 interrupted. `fovea COMMAND --help` has examples.");
  for (const cli::Command& command : cli::commands()) command.add(*app.add_subcommand(command.name, command.summary), context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "fovea: error: {}\n", cli::explain_usage_error(app, error, context.command_line));
    return static_cast<int>(ErrorCode::kUsage);
  }
  if (Status status = check_knobs(); !status.ok()) return report(status.error());
  install_interrupt_handler();
  if (Status status = context.run(); !status.ok()) return report(status.error());
  return std::fflush(stdout) == 0 ? 0 : report({ErrorCode::kResource, "cannot write to standard output"});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const std::bad_alloc&) {
    return report({fovea::ErrorCode::kResource, "out of memory"});
  } catch (const std::exception& error) {
    return report({fovea::ErrorCode::kInternal, error.what()});
  }
}
