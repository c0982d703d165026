// Progress: one line on standard error with rate and time left; a plain line every ten seconds where it is no terminal.
#pragma once

#include <cstdint>
#include <string>

namespace fovea::cli {

class Progress {
 public:
  // Silent if `quiet`. `what` begins the line ("eval resnet50").
  Progress(std::string what, bool quiet);
  ~Progress();
  // `done` of `total` units (any unit); `detail` ends the line. Cheap: it prints at most four times a second, and nothing
  // during the first second.
  void update(double done, double total, const std::string& detail = "");
  void finish();  // clears the line

 private:
  std::string what_;
  bool quiet_, terminal_, shown_ = false;
  std::int64_t begin_ns_, last_ns_;
};

}  // namespace fovea::cli
