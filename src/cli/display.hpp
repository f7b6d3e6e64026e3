// What a person sees while a pipeline runs: live lines per table on a terminal, otherwise one line
// every 10 s. On stderr, so that stdout stays for results.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/periodic.hpp"
#include "pipeline/status.hpp"

namespace leat::cli {

using StatusReader = std::function<PipelineStatus()>;

// Lines for one look at the pipeline; `before` is the look `seconds` earlier, for rates. One line
// for capture, then per sink one line and one per table. Pure.
auto live_lines(const PipelineStatus& now, const PipelineStatus& before, double seconds,
                std::int64_t wall_us) -> std::vector<std::string>;
// The same in one line, for logs.
auto summary_line(const PipelineStatus& now, const PipelineStatus& before, double seconds,
                  std::int64_t wall_us) -> std::string;

// Draws from a thread of its own until destroyed.
class Display {
public:
    Display(StatusReader read, const Clock& clock);

private:
    auto draw(bool terminal, double seconds) -> void;

    const StatusReader read_;
    const Clock& clock_;
    PipelineStatus before_;
    Periodic periodic_;
};

}  // namespace leat::cli
