// Metrics: the status as Prometheus reads it. Every series is made from the status object at the
// moment somebody asks, so nothing is kept twice and nothing is paid for while nobody does.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pipeline/status.hpp"

namespace leat {

// `labels`: names, separated by commas. Names and labels are a contract with dashboards and alerts.
struct MetricInfo {
    enum class Kind { counter, gauge, histogram };
    std::string_view name;
    Kind kind;
    std::string_view labels;
    std::string_view help;
};

// All but what a source adds of its own (SourceType::vitals).
auto metric_infos() -> std::span<const MetricInfo>;

// Text format 0.0.4. `version`: of the program.
auto metrics_text(const PipelineStatus& status, const std::string& version) -> std::string;

inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace leat
