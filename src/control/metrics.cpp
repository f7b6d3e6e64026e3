// From a status to families of samples; prometheus-cpp writes them down.
#include "control/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <vector>

#include "base/check.hpp"
#include "change/reject_reason.hpp"

namespace leat {

namespace {

using Kind = MetricInfo::Kind;
using Labels = std::vector<prometheus::ClientMetric::Label>;

constexpr std::array infos = {
    MetricInfo{"leat_build_info", Kind::gauge, "pipeline,version",
               "1 for the version of the program that runs."},
    MetricInfo{"leat_start_timestamp_seconds", Kind::gauge, "pipeline",
               "When this process began, in seconds since 1970."},
    MetricInfo{"leat_healthy", Kind::gauge, "pipeline",
               "1 if everything is healthy, 0.5 if it works but is not all it should be, else 0."},
    MetricInfo{"leat_condition", Kind::gauge, "pipeline,component,type,status",
               "1 for the status (true, false, unknown) that a condition has now."},
    MetricInfo{"leat_table_healthy", Kind::gauge, "pipeline,sink,table",
               "Like leat_healthy, for one table; with an empty sink: at the source."},
    MetricInfo{"leat_events_total", Kind::counter, "pipeline,op,table",
               "Changes and snapshot rows taken from the source into the log."},
    MetricInfo{"leat_looked_up_rows_total", Kind::counter, "pipeline,table",
               "Rows that came without all their columns and were completed by key."},
    MetricInfo{"leat_changed_rows_total", Kind::counter, "pipeline,table,reason",
               "Rows that went into the log as deletes, and are counted as such, or without some values."},
    MetricInfo{"leat_event_bytes_total", Kind::counter, "pipeline",
               "Size of the frames of changes taken into the log."},
    MetricInfo{"leat_source_failures_total", Kind::counter, "pipeline,fault",
               "Failures of capture, by what may be done about them."},
    MetricInfo{"leat_source_lag_seconds", Kind::gauge, "pipeline",
               "Age of the oldest change at the source that is not in the log."},
    MetricInfo{"leat_source_lag_bytes", Kind::gauge, "pipeline",
               "Size of the source's own log that is not in ours."},
    MetricInfo{"leat_last_event_timestamp_seconds", Kind::gauge, "pipeline",
               "Commit time of the newest position in the log, in seconds since 1970."},
    MetricInfo{"leat_snapshot_rows", Kind::gauge, "pipeline,table,state",
               "Rows of the newest image of a table: done, and estimated in all."},
    MetricInfo{"leat_snapshot_eta_seconds", Kind::gauge, "pipeline",
               "Forecast of when the image that is read is there; absent while it cannot be told."},
    MetricInfo{"leat_snapshot_chunks", Kind::gauge, "pipeline,state",
               "Pieces of the image that is taken: done, and in all."},
    MetricInfo{"leat_log_held_bytes", Kind::gauge, "pipeline",
               "Size of what some sink has not released in the log."},
    MetricInfo{"leat_log_max_bytes", Kind::gauge, "pipeline",
               "Size at which the log stops taking changes; absent without a limit."},
    MetricInfo{"leat_log_full_in_seconds", Kind::gauge, "pipeline",
               "Forecast of when the log reaches its limit; absent while it does not grow."},
    MetricInfo{"leat_sink_events_total", Kind::counter, "pipeline,sink,op,table",
               "Rows committed in a sink, before any collapse."},
    MetricInfo{"leat_sink_commits_total", Kind::counter, "pipeline,sink", "Commits of a sink."},
    MetricInfo{"leat_sink_commit_seconds", Kind::histogram, "pipeline,sink",
               "How long a commit of a sink took."},
    MetricInfo{"leat_sink_failures_total", Kind::counter, "pipeline,sink,fault",
               "Failures of a sink, by what may be done about them."},
    MetricInfo{"leat_sink_errors_total", Kind::counter, "pipeline,sink,code",
               "The same by the code of the error; those without one are under none."},
    MetricInfo{"leat_sink_lag_seconds", Kind::gauge, "pipeline,sink",
               "Age of the oldest change in the log that is not in the sink."},
    MetricInfo{"leat_end_to_end_latency_seconds", Kind::histogram, "pipeline,sink",
               "From a commit at the source to the commit in the sink, per frame, by two clocks."},
    MetricInfo{"leat_freshness_timestamp_seconds", Kind::gauge, "pipeline,sink,table",
               "Commit time up to which a table in a sink shows the source, in seconds since 1970."},
    MetricInfo{"leat_passed_over_rows_total", Kind::counter, "pipeline,sink,table,reason",
               "Rows rightly left out; with an empty sink: before they entered the log."},
    MetricInfo{"leat_rows_in_total", Kind::counter, "pipeline,sink,table",
               "Rows on their way to a table of a sink: applied, filtered, dead letters and passed "
               "over."},
    MetricInfo{"leat_applied_rows_total", Kind::counter, "pipeline,sink,table",
               "Of these, rows that were handed to the sink, before any collapse."},
    MetricInfo{"leat_filtered_rows_total", Kind::counter, "pipeline,sink,table",
               "Rows that a transform left out."},
    MetricInfo{"leat_dropped_rows_total", Kind::counter, "pipeline,sink,table,rule",
               "Rows that an expectation dropped."},
    MetricInfo{"leat_warned_rows_total", Kind::counter, "pipeline,sink,table,rule",
               "Rows that broke an expectation and went on."},
    MetricInfo{"leat_dead_letter_rows_total", Kind::counter, "pipeline,sink,table,reason",
               "Rows set aside as dead letters."},
    MetricInfo{"leat_sink_copies_total", Kind::counter, "pipeline,sink",
               "Copies of a sink's target made for other readers."},
    MetricInfo{"leat_sink_copy_failures_total", Kind::counter, "pipeline,sink",
               "Attempts to make one that failed."},
    MetricInfo{"leat_sink_copy_timestamp_seconds", Kind::gauge, "pipeline,sink",
               "When the newest copy was begun, in seconds since 1970."},
    MetricInfo{"leat_sink_copy_duration_seconds", Kind::gauge, "pipeline,sink",
               "How long the newest copy took."},
    MetricInfo{"leat_dead_letters", Kind::gauge, "pipeline,sink,reason",
               "Dead letters that are open, of earlier runs too."},
    MetricInfo{"leat_dead_letters_oldest_age_seconds", Kind::gauge, "pipeline,sink",
               "Since the commit of the oldest of them; absent while none is open."},
};

auto info_of(std::string_view name) -> const MetricInfo& {
    for (const auto& info : infos)
        if (info.name == name) return info;
    CHECK(false);
}

auto seconds_of(std::int64_t us) -> double { return static_cast<double>(us) / 1e6; }

auto score_of(Health health) -> double {
    return health == Health::healthy ? 1.0 : health == Health::degraded ? 0.5 : 0.0;
}

auto fault_name(Fault fault) -> std::string {
    switch (fault) {
        case Fault::retry: return "retry";
        case Fault::uncertain: return "uncertain";
        case Fault::poison: return "poison";
        case Fault::config: return "config";
        case Fault::fatal: return "fatal";
    }
    CHECK(false);
}

// What is added last is written last; a family comes with its first sample.
class Exposition {
public:
    explicit Exposition(const std::string& pipeline) : pipeline_(pipeline) {}

    template <class Number>
    auto add(std::string_view name, Number value, Labels labels = {}) -> void {
        const auto& info = info_of(name);
        auto& sample = sample_of(info.name, info.help, info.kind, std::move(labels));
        if (info.kind == Kind::counter) sample.counter.value = static_cast<double>(value);
        else sample.gauge.value = static_cast<double>(value);
    }

    auto add(std::string_view name, const Histogram& histogram, Labels labels) -> void {
        const auto& info = info_of(name);
        auto& sample = sample_of(info.name, info.help, info.kind, std::move(labels)).histogram;
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < Histogram::bounds.size(); ++i) {
            below += static_cast<std::uint64_t>(histogram.within[i]);
            sample.bucket.push_back({below, Histogram::bounds[i]});
        }
        sample.sample_count = static_cast<std::uint64_t>(histogram.count);
        sample.sample_sum = histogram.sum_seconds;
        sample.bucket.push_back({sample.sample_count, std::numeric_limits<double>::infinity()});
    }

    // A gauge of the source's own.
    auto add(const Vital& vital) -> void {
        Labels labels;
        if (!vital.info->label.empty())
            labels.push_back({std::string(vital.info->label), vital.label_value});
        const auto name = "leat_" + std::string(vital.info->name);
        sample_of(name, vital.info->help, Kind::gauge, std::move(labels)).gauge.value = vital.value;
    }

    [[nodiscard]] auto text() const -> std::string {
        return prometheus::TextSerializer().Serialize(families_);
    }

private:
    auto sample_of(std::string_view name, std::string_view help, Kind kind, Labels labels)
        -> prometheus::ClientMetric& {
        const auto [at, is_new] = places_.emplace(name, families_.size());
        if (is_new) {
            const auto type = kind == Kind::counter ? prometheus::MetricType::Counter
                              : kind == Kind::gauge ? prometheus::MetricType::Gauge
                                                    : prometheus::MetricType::Histogram;
            families_.push_back({std::string(name), std::string(help), type, {}});
        }
        auto& samples = families_[at->second].metric;
        samples.emplace_back();
        samples.back().label.push_back({"pipeline", pipeline_});
        for (auto& label : labels) samples.back().label.push_back(std::move(label));
        return samples.back();
    }

    const std::string pipeline_;
    std::vector<prometheus::MetricFamily> families_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

auto add_events(Exposition& out, std::string_view name, const Labels& sink,
                const std::map<TableName, TableCounts>& tables, bool at_sink) -> void {
    for (const auto& entry : tables) {
        const auto& table = entry.first;
        const auto& counts = entry.second;
        const auto add = [&](const char* op, std::int64_t value) {
            auto labels = sink;
            labels.push_back({"op", op});
            labels.push_back({"table", at_sink ? target_name(table) : to_string(table)});
            out.add(name, value, std::move(labels));
        };
        add("snapshot", counts.snapshot_rows);
        add("insert", counts.inserts);
        add("update", counts.updates);
        add("delete", counts.deletes);
        add("truncate", counts.truncates);
    }
}

auto add_conditions(Exposition& out, const PipelineStatus& status) -> void {
    out.add("leat_healthy", score_of(status.health));
    for (const auto& condition : status.conditions)
        for (const auto verdict : {Verdict::yes, Verdict::no, Verdict::unknown})
            out.add("leat_condition", condition.verdict == verdict ? 1 : 0,
                    {{"component", condition.component},
                     {"type", condition.type},
                     {"status", to_string(verdict)}});
    for (const auto& table : status.tables)
        out.add("leat_table_healthy", score_of(table.health),
                {{"sink", table.sink}, {"table", table.table}});
}

auto add_passed_over(Exposition& out, const std::string& sink, const std::string& table,
                     const ReasonCounts& counts) -> void {
    for (const auto& [reason, count] : counts)
        out.add("leat_passed_over_rows_total", count,
                {{"sink", sink}, {"table", table}, {"reason", reason}});
}

auto add_lookups(Exposition& out, const CaptureStatus& capture) -> void {
    for (const auto& [table, counts] : capture.tables) {
        const auto name = to_string(table);
        if (capture.eventual.contains(table))
            out.add("leat_looked_up_rows_total", counts.looked_up, {{"table", name}});
        for (const auto& [reason, count] : counts.changed)
            out.add("leat_changed_rows_total", count,
                    {{"table", name}, {"reason", reason}});
        add_passed_over(out, "", name, counts.passed_over);
    }
}

auto add_images(Exposition& out, const CaptureStatus& capture) -> void {
    for (const auto& [table, rows] : capture.images) {
        const auto name = to_string(table);
        out.add("leat_snapshot_rows", rows.read, {{"table", name}, {"state", "done"}});
        out.add("leat_snapshot_rows", rows.estimated(), {{"table", name}, {"state", "estimated"}});
    }
    if (capture.image && capture.image->eta_seconds)
        out.add("leat_snapshot_eta_seconds", *capture.image->eta_seconds);
    if (capture.chunks == 0) return;
    out.add("leat_snapshot_chunks", capture.chunks_done, {{"state", "done"}});
    out.add("leat_snapshot_chunks", capture.chunks, {{"state", "all"}});
}

auto add_capture(Exposition& out, const CaptureStatus& capture) -> void {
    add_events(out, "leat_events_total", {}, capture.tables, false);
    add_lookups(out, capture);
    out.add("leat_event_bytes_total", capture.bytes);
    for (const auto fault : {Fault::retry, Fault::config, Fault::fatal}) {
        const auto found = capture.failures.find(fault);
        out.add("leat_source_failures_total", found == capture.failures.end() ? 0 : found->second,
                {{"fault", fault_name(fault)}});
    }
    out.add("leat_source_lag_seconds", capture.lag_seconds);
    if (capture.durable_commit_time_us > 0)
        out.add("leat_last_event_timestamp_seconds", seconds_of(capture.durable_commit_time_us));
    add_images(out, capture);
    if (!capture.watch.vitals || capture.watch.error) return;
    if (const auto behind = capture.watch.vitals->behind_bytes)
        out.add("leat_source_lag_bytes", *behind);
    for (const auto& vital : capture.watch.vitals->vitals) out.add(vital);
}

auto add_queue(Exposition& out, const QueueStatus& queue) -> void {
    out.add("leat_log_held_bytes", queue.held_bytes);
    if (queue.bytes_max > 0) out.add("leat_log_max_bytes", queue.bytes_max);
    if (queue.full_in_s) out.add("leat_log_full_in_seconds", *queue.full_in_s);
}

auto add_flow(Exposition& out, const Labels& place, const FlowCounts& flow) -> void {
    const auto with = [&](const char* name, const std::string& value) {
        auto labels = place;
        labels.push_back({name, value});
        return labels;
    };
    out.add("leat_rows_in_total", flow.rows_in, place);
    out.add("leat_applied_rows_total", flow.applied, place);
    out.add("leat_filtered_rows_total", flow.filtered, place);
    for (const auto& [rule, count] : flow.dropped)
        out.add("leat_dropped_rows_total", count, with("rule", rule));
    for (const auto& [rule, count] : flow.warned)
        out.add("leat_warned_rows_total", count, with("rule", rule));
    for (const auto& [reason, count] : flow.dead_letters)
        out.add("leat_dead_letter_rows_total", count, with("reason", reason));
}

// A reason that has none now is 0, so that a series does not end when its letters are mended.
auto add_letters(Exposition& out, const Labels& sink, const LaneStatus& lane) -> void {
    for (const auto reason :
         {RejectReason::expression_failed, RejectReason::expectation_broken,
          RejectReason::incomplete_row, RejectReason::does_not_fit_column,
          RejectReason::does_not_fit_target}) {
        const std::string name(to_string(reason));
        const auto found = lane.open_letters_by_reason.find(name);
        out.add("leat_dead_letters",
                found == lane.open_letters_by_reason.end() ? 0 : found->second,
                {sink.front(), {"reason", name}});
    }
    if (lane.oldest_letter_us > 0)
        out.add("leat_dead_letters_oldest_age_seconds", lane.oldest_letter_age_seconds, sink);
}

auto add_lane(Exposition& out, const LaneStatus& lane) -> void {
    const Labels sink = {{"sink", lane.name}};
    add_events(out, "leat_sink_events_total", sink, lane.tables, true);
    out.add("leat_sink_commits_total", lane.commits, sink);
    out.add("leat_sink_commit_seconds", lane.commit_durations, sink);
    for (const auto fault :
         {Fault::retry, Fault::uncertain, Fault::poison, Fault::config, Fault::fatal}) {
        const auto found = lane.failures.find(fault);
        out.add("leat_sink_failures_total", found == lane.failures.end() ? 0 : found->second,
                {sink.front(), {"fault", fault_name(fault)}});
    }
    for (const auto& [code, count] : lane.errors)
        out.add("leat_sink_errors_total", count,
                {sink.front(), {"code", code == Code::none ? "none" : to_string(code)}});
    out.add("leat_sink_lag_seconds", lane.lag_seconds, sink);
    out.add("leat_end_to_end_latency_seconds", lane.latencies, sink);
    if (lane.reached_commit_time_us > 0)
        for (const auto& [table, counts] : lane.tables)
            out.add("leat_freshness_timestamp_seconds", seconds_of(lane.reached_commit_time_us),
                    {sink.front(), {"table", target_name(table)}});
    if (lane.copy.is_wanted) {
        out.add("leat_sink_copies_total", lane.copy.made, sink);
        out.add("leat_sink_copy_failures_total", lane.copy.failures, sink);
    }
    if (lane.copy.made > 0) {
        out.add("leat_sink_copy_timestamp_seconds", seconds_of(lane.copy.made_us), sink);
        out.add("leat_sink_copy_duration_seconds", lane.copy.seconds, sink);
    }
    if (lane.open_letters) add_letters(out, sink, lane);
    for (const auto& [table, counts] : lane.passed_over)
        add_passed_over(out, lane.name, to_string(table), counts);
    for (const auto& [table, flow] : lane.flows)
        add_passed_over(out, lane.name, table, flow.passed_over);
    for (const auto& [table, flow] : lane.flows)
        add_flow(out, {sink.front(), {"table", table}}, flow);
}

}  // namespace

auto metric_infos() -> std::span<const MetricInfo> { return infos; }

auto metrics_text(const PipelineStatus& status, const std::string& version) -> std::string {
    Exposition out(status.pipeline);
    out.add("leat_build_info", 1, {{"version", version}});
    out.add("leat_start_timestamp_seconds", seconds_of(status.started_us));
    add_conditions(out, status);
    if (status.capture.is_wanted) add_capture(out, status.capture);
    add_queue(out, status.queue);
    for (const auto& lane : status.lanes)
        if (lane.is_wanted) add_lane(out, lane);
    return out.text();
}

}  // namespace leat
