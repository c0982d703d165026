// html_sections: the parts of a report page that show one record. All return finished HTML, or "" where there is
// nothing.
#pragma once

#include <string>

#include "report/html_report.h"
#include "report/run_record.h"

namespace fovea {

// "resnet50, int8" or the name of the case.
std::string run_title(const RunRecord& record);
// What the verdict means, in whole sentences, as plain text.
std::string verdict_text(const RunRecord& record);
// What was found, in a sentence or two, as plain text.
std::string summary_text(const RunRecord& record);
// A label with the state's colour and name.
std::string state_badge(RunState state, NoiseState noise);

std::string html_verdict(const RunRecord& record);
std::string html_tiles(const RunRecord& record);
// `index`: of the record, which ties a canvas to its data.
std::string html_latency(const RunRecord& record, std::size_t index);
std::string html_instances(const RunRecord& record);
std::string html_layers(const RunRecord& record, std::size_t index);
std::string html_accuracy(const RunRecord& record, const HtmlOptions& options);
std::string html_conditions(const RunRecord& record);  // noise, memory, energy, peak
std::string html_provenance(const RunRecord& record);  // settings, model, data, machine, command

// A chart's frame: `kind` and `index` name the data, `description` is what a screen reader says.
std::string html_chart(const std::string& kind, std::size_t index, const std::string& caption,
                       const std::string& description);

}  // namespace fovea
