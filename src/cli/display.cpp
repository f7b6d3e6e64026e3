// Live lines; see display.hpp.
#include "cli/display.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "cli/progress_text.hpp"
#include "observe/live_area.hpp"
#include "pipeline/policy.hpp"

namespace leat::cli {

namespace {

auto total_rows(const LaneStatus& lane) -> std::int64_t {
    std::int64_t rows = 0;
    for (const auto& [table, counts] : lane.tables) rows += counts.snapshot_rows + counts.changes();
    return rows;
}

auto lane_before(const PipelineStatus& before, const std::string& name) -> const LaneStatus* {
    for (const auto& lane : before.lanes)
        if (lane.name == name) return &lane;
    return nullptr;
}

// Seconds between the newest committed change and now; nothing to say when all is applied.
auto lag_text(const LaneStatus& lane, std::int64_t wall_us) -> std::string {
    if (lane.phase == Phase::streaming) return "up to date";
    if (lane.phase != Phase::catching_up || lane.committed.commit_time_us == 0) return "";
    return fmt::format("{:.1f} s behind",
                       static_cast<double>(wall_us - lane.committed.commit_time_us) / 1e6);
}

auto image_part(const CaptureStatus& capture) -> std::string {
    if (!capture.image) return "";
    std::set<std::string> tables;
    for (const auto& table : capture.imaging) tables.insert(to_string(table));
    return ", " + image_text(tables, *capture.image);
}

auto first_line(const std::string& text) -> std::string { return text.substr(0, text.find('\n')); }

auto capture_line(const PipelineStatus& now, const PipelineStatus& before, double seconds)
    -> std::string {
    const auto& capture = now.capture;
    const auto megabytes = static_cast<double>(capture.bytes - before.capture.bytes) / 1e6;
    auto line = fmt::format("source      {:<13} {:>7.1f} MB/s into the log", to_string(capture.phase),
                            seconds > 0 ? megabytes / seconds : 0.0);
    line += image_part(capture);
    if (!capture.message.empty()) line += "  " + first_line(capture.message);
    return line;
}

auto table_line(const TableName& table, const TableCounts& counts, const LaneStatus& lane,
                const LaneStatus* earlier, double seconds) -> std::string {
    const auto found = earlier == nullptr ? lane.tables.end() : earlier->tables.find(table);
    const bool known = earlier != nullptr && found != earlier->tables.end();
    const auto rows = counts.snapshot_rows + counts.changes();
    const auto rows_before = known ? found->second.snapshot_rows + found->second.changes() : 0;
    const auto rate = seconds > 0 ? static_cast<double>(rows - rows_before) / seconds : 0.0;
    return fmt::format("  {:<24} {:>11} snapshot {:>11} changes {:>9.0f} rows/s",
                       to_string(table), counts.snapshot_rows, counts.changes(), rate);
}

// What does not hold, beyond what the lines of source and sinks say by themselves.
auto troubles(const PipelineStatus& now) -> std::vector<std::string> {
    std::vector<std::string> lines;
    for (const auto& condition : now.conditions) {
        const bool is_said = condition.type == "SourceReachable" || condition.type == "SinkReachable";
        if (condition.verdict == Verdict::no && !is_said)
            lines.push_back(fmt::format("{} {}: {}", condition.component, condition.type,
                                        first_line(condition.message) +
                                            in_brackets(condition.code)));
    }
    return lines;
}

}  // namespace

auto live_lines(const PipelineStatus& now, const PipelineStatus& before, double seconds,
                std::int64_t wall_us) -> std::vector<std::string> {
    std::vector<std::string> lines = {capture_line(now, before, seconds)};
    for (const auto& lane : now.lanes) {
        auto line = fmt::format("sink {:<6} {:<13} {:>7} commits  {}", lane.name,
                                to_string(lane.phase), lane.commits, lag_text(lane, wall_us));
        if (!lane.message.empty()) line += "  " + first_line(lane.message);
        lines.push_back(std::move(line));
        for (const auto& [table, counts] : lane.tables)
            lines.push_back(table_line(table, counts, lane, lane_before(before, lane.name),
                                       seconds));
    }
    for (auto& line : troubles(now)) lines.push_back(std::move(line));
    return lines;
}

auto summary_line(const PipelineStatus& now, const PipelineStatus& before, double seconds,
                  std::int64_t wall_us) -> std::string {
    auto line = fmt::format("{}: source {}", now.pipeline, to_string(now.capture.phase));
    const auto worth_saying = [](const auto& part) {
        return !part.message.empty() && part.phase != Phase::failed;  // that was told as it happened
    };
    line += image_part(now.capture);
    if (worth_saying(now.capture)) line += " (" + first_line(now.capture.message) + ")";
    for (const auto& lane : now.lanes) {
        const auto* earlier = lane_before(before, lane.name);
        const auto rows = total_rows(lane) - (earlier == nullptr ? 0 : total_rows(*earlier));
        line += fmt::format("; sink {} {} {} rows, {:.0f} rows/s {}", lane.name,
                            to_string(lane.phase), total_rows(lane),
                            seconds > 0 ? static_cast<double>(rows) / seconds : 0.0,
                            lag_text(lane, wall_us));
        if (worth_saying(lane)) line += " (" + first_line(lane.message) + ")";
    }
    for (const auto& trouble : troubles(now)) line += "; " + trouble;
    return line;
}

Display::Display(StatusReader read, const Clock& clock)
    : read_(std::move(read)),
      clock_(clock),
      before_(read_()),
      periodic_([this](bool terminal, double seconds) { draw(terminal, seconds); }, clock) {}

auto Display::draw(bool terminal, double seconds) -> void {
    auto now = read_();
    if (terminal) {
        draw_live_area(live_lines(now, before_, seconds, clock_.wall_us()));
    } else {
        std::fprintf(stderr, "%s\n",
                     summary_line(now, before_, seconds, clock_.wall_us()).c_str());
    }
    before_ = std::move(now);
}

}  // namespace leat::cli
