// The pages; see reference_command.hpp. They are committed in docs/reference, and a test compares.
#include "cli/reference_command.hpp"

#include <fmt/core.h>

#include "cli/engine_options.hpp"
#include "cli/exit_code.hpp"
#include "cli/explain_command.hpp"
#include "cli/transforms.hpp"
#include "config/describe.hpp"
#include "connectors.hpp"
#include "control/metrics.hpp"

namespace leat::cli {

namespace {

template <class Types>
auto describe_all(const char* role, const Types& types) -> std::string {
    std::string text;
    for (const auto& type : types)
        text += fmt::format("\n### {} `type: {}`\n\n{}", role, type.name, type.describe());
    return text;
}

auto configuration_page() -> std::string {
    return "# Configuration\n\nWritten by `leat reference configuration`; do not edit.\n\n"
           "A pipeline file is YAML with the sections below. Unknown keys, wrong types and values "
           "out of bounds are errors with file, line and column. `${env:NAME}` and `${file:PATH}` "
           "stand for the contents of a variable or a file inside any value. Sections that begin "
           "with `x-` are yours. Sizes are written 64 MiB or 10 GB, times 500ms, 10s or 24h. "
           "Relative paths are relative to the working directory.\n\n"
           "## `pipeline`\n\nThe name, required: at most 40 of a-z, 0-9 and _. Slot, publication "
           "and folders are named after it.\n\n"
           "## `source`\n" +
           describe_all("Source", source_types()) +
           "\n## `queue`\n\nDefault: `{type: log, path: data/PIPELINE}`.\n" +
           describe_all("Queue", queue_types()) +
           "\n## `transforms`\n\nA list; see the guide on transforms.\n\n" + describe_transforms() +
           "\n## `sinks`\n\nA list. Every sink takes:\n\n" + config::describe<SinkOptions>() +
           describe_all("Sink", sink_types()) +
           "\n## `http`\n\nWithout it no port is opened.\n\n" + config::describe<HttpOptions>() +
           "\n## `run`\n\n" + config::describe<EngineOptions>();
}

auto kind_name(MetricInfo::Kind kind) -> const char* {
    switch (kind) {
        case MetricInfo::Kind::counter: return "counter";
        case MetricInfo::Kind::gauge: return "gauge";
        case MetricInfo::Kind::histogram: return "histogram";
    }
    return "";
}

auto metrics_page() -> std::string {
    std::string text =
        "# Metrics\n\nWritten by `leat reference metrics`; do not edit.\n\n"
        "Served at `/metrics` of the port in `http: {listen: …}`, in the text format 0.0.4, and "
        "made from the status at the moment of asking. Names and labels are stable. Counters "
        "begin at zero with the process. Base units everywhere.\n\n"
        "| name | kind | labels | what it says |\n|---|---|---|---|\n";
    for (const auto& info : metric_infos())
        text += fmt::format("| `{}` | {} | {} | {} |\n", info.name, kind_name(info.kind),
                            info.labels, info.help);
    for (const auto& type : source_types()) {
        text += fmt::format("\n## Of a source `type: {}`\n\n| name | kind | labels | what it says "
                            "|\n|---|---|---|---|\n",
                            type.name);
        for (const auto& info : type.vitals())
            text += fmt::format("| `leat_{}` | gauge | pipeline{}{} | {} |\n", info.name,
                                info.label.empty() ? "" : ",", info.label, info.help);
    }
    return text;
}

}  // namespace

auto reference_command(const std::string& page) -> int {
    fmt::print("{}", page == "metrics"  ? metrics_page()
                     : page == "errors" ? errors_page()
                                        : configuration_page());
    return exit_ok;
}

}  // namespace leat::cli
