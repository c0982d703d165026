// LaunchLog: the lines of a launch, on standard output and in its log file.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/command.h"

namespace fovea::cli {

class LaunchLog {
 public:
  // `name` without ending; a number is added where "<name>.log" exists. The folder is made if need be.
  static Result<LaunchLog> create(const std::filesystem::path& folder, const std::string& name, const Context& context);

  // Every line is in the file before this returns; kResource where the disk is full.
  Status line(const std::string& text);
  const std::filesystem::path& path() const { return path_; }
  // A file beside the log, of the same name: "benchmark_….json".
  std::filesystem::path sibling(const std::string& ending) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  LaunchLog(const Context& context, std::filesystem::path path, std::FILE* file)
      : context_(&context), path_(std::move(path)), file_(file) {}
  const Context* context_;
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

// "20261124_013000", local time, as Python's strftime("%Y%m%d_%H%M%S") writes it.
std::string log_timestamp();

}  // namespace fovea::cli
