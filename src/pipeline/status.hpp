// Status: what is true of a running pipeline, for display, report and the status request. One
// object, written by capture and lanes, read by anybody; every surface shows these figures.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "change/frame.hpp"
#include "pipeline/histogram.hpp"
#include "pipeline/image_progress.hpp"
#include "source/vitals.hpp"

namespace leat {

enum class Phase {
    starting, snapshotting, catching_up, streaming, paused, waiting, stopped, failed
};
auto to_string(Phase phase) -> std::string;

using ReasonCounts = std::map<std::string, std::int64_t>;

struct TableCounts {
    std::int64_t snapshot_rows = 0;  // of all images
    std::int64_t inserts = 0;
    std::int64_t updates = 0;
    std::int64_t deletes = 0;
    std::int64_t truncates = 0;
    // At the source only. `changed`: rows that went on as deletes, and are counted as such, or
    // without some values.
    std::int64_t looked_up = 0;
    ReasonCounts passed_over{};
    ReasonCounts changed{};

    [[nodiscard]] auto changes() const -> std::int64_t {
        return inserts + updates + deletes + truncates;
    }
};

// What became of the rows of the log that were on their way to one output table: rows_in = applied
// (handed to the sink, before any collapse) + filtered (`dropped` among them) + dead letters +
// passed over.
struct FlowCounts {
    std::int64_t rows_in = 0;
    std::int64_t applied = 0;
    std::int64_t filtered = 0;
    ReasonCounts dropped;       // by expectation
    ReasonCounts warned;        // by expectation; these rows went on
    ReasonCounts dead_letters;
    ReasonCounts passed_over;
};

// Adds `from` to `to`.
auto add(const FlowCounts& from, FlowCounts& to) -> void;
auto add(const ReasonCounts& from, ReasonCounts& to) -> void;

// Looks at the source beside capture; times by the steady clock.
struct WatchStatus {
    bool is_kept = false;                // somebody looks
    Duration asked{};                    // newest question
    Duration answered{};                 // newest answer, good or bad
    std::optional<Error> error;          // of the newest answer
    std::optional<SourceVitals> vitals;  // newest good answer
};

// Copies of a sink's target for other readers.
struct CopyStatus {
    bool is_wanted = false;
    std::int64_t made = 0;
    std::int64_t failures = 0;
    std::int64_t made_us = 0;        // when the newest was begun: it shows what was committed then
    double seconds = 0;              // what the newest took
    std::optional<Error> error;      // of the newest attempt
};

struct CaptureStatus {
    bool is_wanted = true;          // false: this process only delivers
    Phase phase = Phase::starting;
    std::string message;            // why it waits or failed; empty when all is well
    std::optional<Error> error;     // the same in parts
    std::map<Fault, std::int64_t> failures;  // since the start
    Position durable;
    std::int64_t durable_commit_time_us = 0;
    std::int64_t frames = 0;
    std::int64_t bytes = 0;
    int failures_in_a_row = 0;
    bool circuit_open = false;
    std::set<TableName> imaging;    // whose image is being read; the others stream meanwhile
    Duration imaging_since{};       // by the steady clock
    std::int64_t chunks_done = 0;   // of that image
    std::int64_t chunks = 0;
    std::map<TableName, ImageRows> images;  // the newest of each table
    std::map<TableName, TableCounts> tables;
    // Tables whose rows are completed by lookups: values may be newer than the row's position says.
    std::set<TableName> eventual;
    WatchStatus watch;
    double lag_seconds = 0;         // judged; age of the oldest change that is not durable here
    std::optional<ImageProgress> image;  // judged; while one is being read
};

struct LaneStatus {
    std::string name;
    bool is_wanted = true;          // false: this process only captures
    Phase phase = Phase::starting;
    std::string message;
    std::optional<Error> error;
    std::map<Fault, std::int64_t> failures;
    std::map<Code, std::int64_t> errors;  // the same failures by code
    Progress committed;             // what the sink holds
    Position reached;               // everything up to here is committed or needs no commit
    std::int64_t reached_commit_time_us = 0;
    bool image_complete = false;    // the image that it began with is in its place
    std::map<TableName, Phase> filling;  // tables of the source that are to be filled, and how far
    std::int64_t commits = 0;
    std::int64_t rows_out_of_log = 0;
    double commit_seconds = 0;      // sum over all commits
    Histogram commit_durations;
    Histogram latencies;            // from commit at the source to commit here, per frame
    int failures_in_a_row = 0;
    bool circuit_open = false;
    std::map<TableName, TableCounts> tables;  // committed rows
    std::map<std::string, FlowCounts> flows;  // by output table, committed
    std::map<TableName, ReasonCounts> passed_over;  // rows of the log before any flow, committed
    CopyStatus copy;
    std::optional<std::map<std::string, std::int64_t>> open_letters;  // by output table, when known
    ReasonCounts open_letters_by_reason;      // the same
    std::int64_t oldest_letter_us = 0;        // commit time; 0: none is open
    double oldest_letter_age_seconds = 0;     // judged
    double lag_seconds = 0;         // judged; age of the oldest change that is not committed here
};

// Of a queue with a size limit.
struct QueueStatus {
    std::int64_t held_bytes = 0;
    std::int64_t bytes_max = 0;               // 0: no limit
    std::string message;                      // why appending waits; empty: it does not
    std::optional<std::int64_t> full_in_s;    // at the present rate, while it grows
};

enum class Health { healthy, degraded, unhealthy };
auto to_string(Health health) -> std::string;

enum class Verdict { yes, no, unknown };
auto to_string(Verdict verdict) -> std::string;  // true, false, unknown

// One thing that must hold for the pipeline to do its work, and whether it does.
struct Condition {
    std::string type;       // SourceReachable, HistoryKept, SchemaInSync, LogHasRoom, SinkReachable,
                            // KeepingUp, DeadLettersEmpty, CopyFresh
    std::string component;  // source, log, or the name of a sink
    Verdict verdict = Verdict::unknown;
    Health harm = Health::unhealthy;  // what it amounts to when it does not hold
    std::string reason;     // one CamelCase word of a fixed few
    std::int64_t since_us = 0;
    std::string message;    // empty when it holds
    std::string next_step;
    Code code = Code::none;
};

// One table in one sink, under its name there; or, with an empty sink, at the source.
struct TableState {
    std::string table;
    std::string sink;
    Phase phase = Phase::starting;
    Health health = Health::degraded;
};

struct PipelineStatus {
    std::string pipeline;
    std::int64_t started_us = 0;
    QueueStatus queue;
    CaptureStatus capture;
    std::vector<LaneStatus> lanes;
    // Judged (pipeline/health).
    Phase phase = Phase::starting;
    Health health = Health::degraded;
    std::vector<Condition> conditions;
    std::vector<TableState> tables;
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
    // Which halves of the pipeline this process runs.
    auto takes_part(bool capture, bool lanes) -> void {
        state_.with([&](PipelineStatus& state) {
            state.capture.is_wanted = capture;
            for (auto& lane : state.lanes) lane.is_wanted = lanes;
        });
    }
    [[nodiscard]] auto copy() const -> PipelineStatus { return state_.copy(); }
    // Without the counts of tables: its cost does not grow with their number.
    [[nodiscard]] auto copy_without_counts() -> PipelineStatus;

private:
    Guarded<PipelineStatus> state_;
};

// Rows that were passed over, at their table.
auto count_passed_over(const PassedOver& rows, TableCounts& counts) -> void;

// Adds the rows of a batch to its table's counts.
auto count_rows(const Batch& batch, TableCounts& counts) -> void;

// Notes a failure of capture or of a lane. `ends`: the policy gives up.
template <class Part>
auto note_failure(Part& part, const Error& error, bool ends) -> void {
    part.phase = ends ? Phase::failed : Phase::waiting;
    part.error = error;
    ++part.failures[error.fault];
}

}  // namespace leat
