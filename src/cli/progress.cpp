#include "cli/progress.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"

namespace fovea::cli {

Progress::Progress(std::string what, bool quiet)
    : what_(std::move(what)), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0), begin_ns_(now_ns()), last_ns_(begin_ns_) {}

Progress::~Progress() { finish(); }

void Progress::update(double done, double total, const std::string& detail) {
  const std::int64_t now = now_ns();
  const std::int64_t interval = terminal_ ? 250'000'000 : 10'000'000'000;
  if (quiet_ || now - last_ns_ < interval || now - begin_ns_ < 1'000'000'000) return;
  last_ns_ = now;
  const double elapsed = static_cast<double>(now - begin_ns_) * 1e-9;
  const double left = done > 0 ? elapsed * (total - done) / done : 0;
  const std::string line = fmt::format("{}: {:3.0f} %  {:.0f} s left  {}", what_, total > 0 ? 100 * done / total : 0.0, left, detail);
  if (terminal_)
    fmt::print(stderr, "\r\033[K{}", line);
  else
    fmt::print(stderr, "{}\n", line);
  shown_ = true;
}

void Progress::finish() {
  if (shown_ && terminal_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace fovea::cli
