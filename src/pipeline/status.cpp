// Status: names of phases, counting.
#include "pipeline/status.hpp"

#include <arrow/array/array_primitive.h>
#include <arrow/record_batch.h>

#include <tuple>
#include <utility>

#include "base/check.hpp"

namespace leat {

auto to_string(Phase phase) -> std::string {
    switch (phase) {
        case Phase::starting: return "starting";
        case Phase::snapshotting: return "snapshotting";
        case Phase::catching_up: return "catching_up";
        case Phase::streaming: return "streaming";
        case Phase::paused: return "paused";
        case Phase::waiting: return "waiting";
        case Phase::stopped: return "stopped";
        case Phase::failed: return "failed";
    }
    CHECK(false);
}

auto to_string(Health health) -> std::string {
    switch (health) {
        case Health::healthy: return "healthy";
        case Health::degraded: return "degraded";
        case Health::unhealthy: return "unhealthy";
    }
    CHECK(false);
}

auto to_string(Verdict verdict) -> std::string {
    switch (verdict) {
        case Verdict::yes: return "true";
        case Verdict::no: return "false";
        case Verdict::unknown: return "unknown";
    }
    CHECK(false);
}

Status::Status(std::string pipeline, const std::vector<std::string>& lanes, std::int64_t now_us) {
    state_.with([&](PipelineStatus& state) {
        state.pipeline = std::move(pipeline);
        state.started_us = now_us;
        for (const auto& name : lanes) {
            state.lanes.emplace_back();
            state.lanes.back().name = name;
        }
    });
}

auto Status::copy_without_counts() -> PipelineStatus {
    return state_.with([](PipelineStatus& state) {
        // Set aside for as long as the rest is copied.
        auto captured = std::exchange(state.capture.tables, {});
        auto images = std::exchange(state.capture.images, {});
        std::vector<std::pair<std::map<TableName, TableCounts>, std::map<std::string, FlowCounts>>>
            delivered;
        for (auto& lane : state.lanes)
            delivered.emplace_back(std::exchange(lane.tables, {}), std::exchange(lane.flows, {}));
        auto copy = state;
        state.capture.tables = std::move(captured);
        state.capture.images = std::move(images);
        for (std::size_t i = 0; i < delivered.size(); ++i)
            std::tie(state.lanes[i].tables, state.lanes[i].flows) = std::move(delivered[i]);
        return copy;
    });
}

auto add(const ReasonCounts& from, ReasonCounts& to) -> void {
    for (const auto& [reason, count] : from) to[reason] += count;
}

auto add(const FlowCounts& from, FlowCounts& to) -> void {
    to.rows_in += from.rows_in;
    to.applied += from.applied;
    to.filtered += from.filtered;
    add(from.dropped, to.dropped);
    add(from.warned, to.warned);
    add(from.dead_letters, to.dead_letters);
    add(from.passed_over, to.passed_over);
}

auto count_passed_over(const PassedOver& rows, TableCounts& counts) -> void {
    (rows.goes_on ? counts.changed : counts.passed_over)[rows.reason] += rows.rows;
}

auto count_rows(const Batch& batch, TableCounts& counts) -> void {
    const auto& ops = static_cast<const arrow::UInt8Array&>(*batch.rows->column(op_column));
    std::array<std::int64_t, 256> by_op{};
    for (std::int64_t row = 0; row < ops.length(); ++row) ++by_op[ops.Value(row)];
    const auto rows_of = [&](Op op) { return by_op[static_cast<std::uint8_t>(op)]; };
    counts.snapshot_rows += rows_of(Op::snapshot);
    counts.inserts += rows_of(Op::insert);
    counts.updates += rows_of(Op::update) + rows_of(Op::replace);
    counts.deletes += rows_of(Op::remove);
    counts.truncates += rows_of(Op::truncate);
}

}  // namespace leat
