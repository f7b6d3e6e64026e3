// Status: what is true of a running pipeline, for display, report and the status request. One
// object, written by capture and lanes, read by anybody; every surface shows these figures.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/result.hpp"
#include "change/frame.hpp"

namespace leat {

enum class Phase { starting, snapshotting, catching_up, streaming, waiting, stopped, failed };
auto to_string(Phase phase) -> std::string;

struct TableCounts {
    std::int64_t snapshot_rows = 0;
    std::int64_t snapshot_rows_estimate = 0;
    std::int64_t inserts = 0;
    std::int64_t updates = 0;
    std::int64_t deletes = 0;
    std::int64_t truncates = 0;

    [[nodiscard]] auto changes() const -> std::int64_t {
        return inserts + updates + deletes + truncates;
    }
};

// What became of the rows of the log that were on their way to one output table: rows_in = applied
// (handed to the sink, before any collapse) + filtered (`dropped` among them) + dead letters.
struct FlowCounts {
    std::int64_t rows_in = 0;
    std::int64_t applied = 0;
    std::int64_t filtered = 0;
    std::map<std::string, std::int64_t> dropped;       // by expectation
    std::map<std::string, std::int64_t> warned;        // by expectation; these rows went on
    std::map<std::string, std::int64_t> dead_letters;  // by reason
};

// Adds `from` to `to`.
auto add(const FlowCounts& from, FlowCounts& to) -> void;

struct CaptureStatus {
    Phase phase = Phase::starting;
    std::string message;            // why it waits or failed; empty when all is well
    Position durable;
    std::int64_t durable_commit_time_us = 0;
    std::int64_t frames = 0;
    std::int64_t bytes = 0;
    int failures_in_a_row = 0;
    bool circuit_open = false;
    std::int64_t chunks_done = 0;
    std::int64_t chunks = 0;
    std::map<TableName, TableCounts> tables;
};

struct LaneStatus {
    std::string name;
    Phase phase = Phase::starting;
    std::string message;
    Progress committed;             // what the sink holds
    Position reached;               // everything up to here is committed or needs no commit
    bool image_complete = false;
    std::int64_t commits = 0;
    std::int64_t rows_out_of_log = 0;
    double commit_seconds = 0;      // sum over all commits
    int failures_in_a_row = 0;
    bool circuit_open = false;
    std::map<TableName, TableCounts> tables;  // committed rows
    std::map<std::string, FlowCounts> flows;  // by output table, committed
};

// Of a queue with a size limit.
struct QueueStatus {
    std::int64_t held_bytes = 0;
    std::int64_t bytes_max = 0;               // 0: no limit
    std::string message;                      // why appending waits; empty: it does not
    std::optional<std::int64_t> full_in_s;    // at the present rate, while it grows
};

struct PipelineStatus {
    std::string pipeline;
    std::int64_t started_us = 0;
    QueueStatus queue;
    CaptureStatus capture;
    std::vector<LaneStatus> lanes;
};

// Thread-safe.
class Status {
public:
    Status(std::string pipeline, const std::vector<std::string>& lanes, std::int64_t now_us);

    template <class Use>
    auto capture(Use&& use) -> void {
        state_.with([&](PipelineStatus& state) { use(state.capture); });
    }
    template <class Use>
    auto lane(std::size_t index, Use&& use) -> void {
        state_.with([&](PipelineStatus& state) { use(state.lanes.at(index)); });
    }
    auto queue(QueueStatus status) -> void {
        state_.with([&](PipelineStatus& state) { state.queue = std::move(status); });
    }
    [[nodiscard]] auto copy() const -> PipelineStatus { return state_.copy(); }

private:
    Guarded<PipelineStatus> state_;
};

// Adds the rows of a batch to its table's counts.
auto count_rows(const Batch& batch, TableCounts& counts) -> void;

}  // namespace leat
