// The flow of a lane: take, write, commit; see lane_attempt.hpp.
#include "pipeline/lane_attempt.hpp"

#include <arrow/record_batch.h>

#include <algorithm>

#include "base/failpoint.hpp"

namespace leat {

namespace {

constexpr Duration idle_wait = std::chrono::milliseconds(500);
// While tables are filled aside, their image comes from elsewhere than what is waited for.
constexpr Duration filling_wait = std::chrono::milliseconds(5);
// Progress without rows is only worth a commit once in a while.
constexpr Duration bare_progress_interval = std::chrono::seconds(60);

auto add(const TableCounts& from, TableCounts& to) -> void {
    to.snapshot_rows += from.snapshot_rows;
    to.inserts += from.inserts;
    to.updates += from.updates;
    to.deletes += from.deletes;
    to.truncates += from.truncates;
}

}  // namespace

auto LaneAttempt::run(const std::stop_token& stop) -> Result<void> {
    if (!TRY(begin(stop))) return {};
    while (!stop.stop_requested()) TRY(step(stop));
    return finish();
}

auto LaneAttempt::step(const std::stop_token& stop) -> Result<void> {
    const bool fed = TRY(feed_rebuilds());
    auto wait = epoch_.empty() ? idle_wait : epoch_.wait(lane_.clock_.steady());
    if (!fillings_.empty()) wait = fed ? Duration::zero() : std::min(wait, filling_wait);
    auto delivery = TRY(reader_->next(stop, wait));
    const bool nothing = !delivery && !fed;
    if (delivery) TRY(take(std::move(*delivery)));
    if (!at_boundary_) return {};
    TRY(swap_in());
    const bool caught_up = nothing || (at_end_ && !fed);
    if (epoch_.due(lane_.clock_.steady(), caught_up)) return commit();
    if (nothing && epoch_.empty()) return idle();
    return {};
}

auto LaneAttempt::take(Delivery delivery) -> Result<void> {
    const auto& frame = delivery.frame;
    auto& offsets = pending_.offsets;
    const auto generation = offsets.is_swapped_in ? Generation{0} : offsets.generation;
    std::int64_t rows = 0;
    for (const auto& batch : frame.batches)
        if (!offsets.absent.contains(batch.schema->name))
            rows += TRY(shape(batch, generation, shaper_, frame.first.lineage));
    for (const auto& each : frame.passed_over) passed_over_[each.table][each.reason] += each.rows;
    if (delivery.at_end) rows += TRY(shaper_.flush(put_));
    const bool brings_rows = rows > 0 || shaper_.holds_rows();
    static_cast<Place&>(offsets) = delivery.after;
    at_boundary_ = frame.ends_transaction;
    at_end_ = delivery.at_end;
    if (frame.kind == FrameKind::changes || frame.kind == FrameKind::position) {
        pending_.position = frame.last;
        pending_.commit_time_us = frame.commit_time_us;
    }
    if (frame.marker) TRY(meet(*frame.marker));
    if (brings_rows && frame.kind == FrameKind::changes) sent_us_.push_back(frame.commit_time_us);
    if (brings_rows || !at_boundary_)
        epoch_.add(rows, static_cast<std::int64_t>(frame.bytes()), lane_.clock_.steady());
    else bare_progress_ = true;
    if (epoch_.empty()) publish_reached();
    return {};
}

// Through the transforms into the copy of its tables that is filled for `generation`; 0: live.
auto LaneAttempt::shape(const Batch& batch, Generation generation, Shaper& shaper,
                        std::uint32_t lineage) -> Result<std::int64_t> {
    const Batch meant{stamped(batch.schema, generation), batch.rows};
    return shaper.apply(meant, lineage, put_);
}

auto LaneAttempt::stamped(const SchemaPtr& schema, Generation generation) -> SchemaPtr {
    if (schema->generation == generation) return schema;
    // Readers make a new object for each segment.
    constexpr std::size_t remembered_max = 4096;
    if (stamps_.size() >= remembered_max) stamps_.clear();
    auto& made = stamps_[{schema, generation}];
    if (!made) {
        auto copy = std::make_shared<TableSchema>(*schema);
        copy->generation = generation;
        made = std::move(copy);
    }
    return made;
}

// Rows for the open epoch; with rejects nothing was taken.
auto LaneAttempt::write(const Batch& batch) -> Result<Rejects> {
    const auto& schema = *batch.schema;
    auto& known = known_[{schema.name, schema.generation}];
    if (known != schema.version) {
        TRY(sink_.evolve(batch.schema));
        known = schema.version;
        // A table that the sink makes is worth a commit, also while it is empty.
        epoch_.add(0, 0, lane_.clock_.steady());
    }
    if (batch.rows->num_rows() == 0) return Rejects{};
    auto rejects = TRY(sink_.write(batch));
    if (rejects.empty()) count_rows(batch, counts_[schema.name]);
    return rejects;
}

auto LaneAttempt::commit() -> Result<void> {
    std::map<std::string, FlowCounts> flows;
    TRY(end_shaping(shaper_, flows));
    for (const auto& filling : fillings_)
        if (filling.shaper) TRY(end_shaping(*filling.shaper, flows));
    failpoint("lane.before_commit");
    pending_.incarnation = lane_.options_.identity.incarnation;
    const auto started = lane_.clock_.steady();
    TRY(sink_.commit(pending_));
    const auto ended = lane_.clock_.steady();
    failpoint("lane.after_commit");
    const auto rows = epoch_.rows();
    epoch_.committed(started, ended);
    lane_.backoff_.after_success();
    bare_progress_ = false;
    last_bare_commit_ = ended;
    publish_reached();
    lane_.status_.lane(lane_.options_.index, [&](LaneStatus& status) {
        status.committed = pending_;
        status.message.clear();
        status.failures_in_a_row = 0;
        status.circuit_open = false;
        status.commits += 1;
        status.rows_out_of_log += rows;
        const auto seconds = std::chrono::duration<double>(ended - started).count();
        status.commit_seconds += seconds;
        status.commit_durations.add(seconds);
        for (const auto sent : sent_us_) status.latencies.add(seconds_since(sent));
        for (const auto& [table, counts] : counts_) add(counts, status.tables[table]);
        for (const auto& [table, flow] : flows) leat::add(flow, status.flows[table]);
        for (const auto& [table, reasons] : passed_over_)
            leat::add(reasons, status.passed_over[table]);
    });
    counts_.clear();
    passed_over_.clear();
    sent_us_.clear();
    return settle(Rest::after_commit);
}

// Rows that were gathered go on, letters are on disk.
auto LaneAttempt::end_shaping(Shaper& shaper, std::map<std::string, FlowCounts>& flows)
    -> Result<void> {
    if (shaper.holds_rows()) epoch_.add(TRY(shaper.flush(put_)), 0, lane_.clock_.steady());
    TRY(shaper.before_commit());
    for (const auto& [table, flow] : shaper.take_counts()) leat::add(flow, flows[table]);
    return {};
}

// What is open is committed, so that the next commit has no rows.
auto LaneAttempt::commit_rows() -> Result<void> {
    return epoch_.empty() ? Result<void>() : commit();
}

auto LaneAttempt::idle() -> Result<void> {
    const auto now = lane_.clock_.steady();
    if (bare_progress_ && now - last_bare_commit_ >= bare_progress_interval) return commit();
    return settle(Rest::idle);
}

// Stop was asked for. A transaction that is not whole yet is left to the next start.
auto LaneAttempt::finish() -> Result<void> {
    if (at_boundary_ && (!epoch_.empty() || bare_progress_)) TRY(commit());
    return settle(Rest::last);
}

// The log may let go of what is safe.
auto LaneAttempt::settle(Rest rest) -> Result<void> {
    const auto safe = TRY(sink_.settle(rest));
    if (!safe || safe == released_) return {};
    TRY(lane_.queue_.release(name(), *safe));
    released_ = safe;
    failpoint("lane.after_release");
    return {};
}

// Tables of the stream that stand still, until their image is on its way.
auto LaneAttempt::still_missing() const -> std::set<TableName> {
    std::set<TableName> missing;
    if (pending_.offsets.absent.empty()) return missing;
    const auto carried = lane_.queue_.tables();
    std::set_intersection(carried.begin(), carried.end(), pending_.offsets.absent.begin(),
                          pending_.offsets.absent.end(), std::inserter(missing, missing.end()));
    return missing;
}

auto LaneAttempt::publish_reached() -> void {
    const auto& offsets = pending_.offsets;
    const auto missing = still_missing();
    lane_.status_.lane(lane_.options_.index, [&](LaneStatus& status) {
        status.reached = pending_.position;
        status.reached_commit_time_us = pending_.commit_time_us;
        status.image_complete = offsets.is_swapped_in;
        status.filling.clear();
        for (const auto& table : missing) status.filling[table] = Phase::snapshotting;
        for (const auto& rebuild : offsets.rebuilds)
            for (const auto& table : rebuild.tables)
                status.filling[table] =
                    rebuild.image_complete ? Phase::catching_up : Phase::snapshotting;
        if (!offsets.is_swapped_in) status.phase = Phase::snapshotting;
        else status.phase = at_end_ ? Phase::streaming : Phase::catching_up;
    });
}

// By two clocks, so never taken for more than a hint; not below zero.
auto LaneAttempt::seconds_since(std::int64_t wall_us) const -> double {
    return std::max(0.0, static_cast<double>(lane_.clock_.wall_us() - wall_us) / 1e6);
}

}  // namespace leat
