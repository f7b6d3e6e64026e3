// Health: what a status amounts to. Turns the figures of a pipeline into conditions, states of
// tables and one verdict, so that terminal, report, `leat status`, HTTP and metrics say the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "pipeline/status.hpp"

namespace leat {

// The worst of the parts: `degraded` works but is not yet, or not quite, what it should be (an image
// is being taken, a part is paused); `unhealthy` does not work. Nothing is healthy unproved.
auto worse(Health a, Health b) -> Health;

// Of one component (source, log, the name of a sink) or, with an empty name, of everything; nothing
// for a component that there is none of.
auto health_of(const PipelineStatus& status, const std::string& component)
    -> std::optional<Health>;
auto components_of(const PipelineStatus& status) -> std::vector<std::string>;

// Fills phase, health, conditions, tables, lags and the progress of images of a status from its
// figures. Remembers since when
// each condition holds, and until when a part was up to date. One thread at a time; looked at least
// once a second, it notices whatever lasts longer.
class Judge {
public:
    auto judge(PipelineStatus& status, std::int64_t wall_us, Duration steady) -> void;

private:
    // How a part that failed has done since; success is only believed when it has lasted.
    struct Recovery {
        int failures = 0;
        Duration since{};
    };
    struct Held {
        Verdict verdict = Verdict::unknown;
        std::string reason;
        std::int64_t since_us = 0;
    };

    auto source_conditions(PipelineStatus& status) -> void;
    auto queue_conditions(PipelineStatus& status) -> void;
    auto lane_conditions(PipelineStatus& status, LaneStatus& lane) -> void;
    auto source_reachable(const PipelineStatus& status) -> Condition;
    auto sink_reachable(const LaneStatus& lane) -> Condition;
    auto judge_tables(PipelineStatus& status) -> void;
    auto measure_lags(PipelineStatus& status) -> void;
    auto measure_image(CaptureStatus& capture) const -> void;
    // Seconds since everything up to now was there, or since `at_us` if that is later.
    auto lag_seconds(const std::string& part, bool up_to_date, std::int64_t at_us) -> double;
    auto is_recovering(const std::string& part, int failures, bool is_waiting) -> bool;
    auto hold(PipelineStatus& status, Condition condition) -> void;

    std::map<std::pair<std::string, std::string>, Held> held_;  // by type and component
    std::map<std::string, Recovery> recoveries_;
    std::map<std::string, std::int64_t> up_to_date_us_;
    std::int64_t wall_us_ = 0;
    Duration steady_{};
};

}  // namespace leat
