// The tuning file: measured costs of tactics, kept between processes.
#pragma once

#include <filesystem>

#include "base/cpu_features.h"
#include "plan/measured_costs.h"

namespace fovea {

// What must be the same for measured costs to hold: the CPU, the instructions in use, the threads.
std::string tuning_section(const CpuFeatures& cpu, int threads);

// The costs of one section; empty where the file or the section does not exist. A file that cannot be read, is no JSON,
// of another version or holds anything but positive numbers is an error, and nothing of it is used.
Result<MeasuredCosts> read_tuning(const std::filesystem::path& path, const std::string& section);

// Adds costs to a section of the file, replacing those of the same tactics, and writes it whole. A file that cannot be
// used is replaced.
Status add_tuning(const std::filesystem::path& path, const std::string& section, const MeasuredCosts& costs);

}  // namespace fovea
