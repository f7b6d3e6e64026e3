// Lane: one attempt opens the sink, asks where it stands, and applies the queue from there until
// something fails; the loop around it asks the policy what then.
#include "pipeline/lane.hpp"

#include <arrow/record_batch.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "base/failpoint.hpp"
#include "observe/log.hpp"
#include "pipeline/policy.hpp"

namespace leat {

namespace {

constexpr Duration idle_wait = std::chrono::milliseconds(500);
// Progress without rows is only worth a commit once in a while.
constexpr Duration bare_progress_interval = std::chrono::seconds(60);

}  // namespace

// From one open() of the sink to its end.
class Lane::Attempt {
public:
    Attempt(Lane& lane, Sink& sink, Shaper& shaper)
        : lane_(lane), sink_(sink), shaper_(shaper), epoch_(lane.options_.epoch) {}

    auto run(const std::stop_token& stop) -> Result<void> {
        const auto progress = TRY(sink_.open(lane_.options_.identity));
        TRY(shaper_.begin(!progress));
        if (progress) resume_from(*progress);
        const auto reader = TRY(lane_.queue_.reader(
            lane_.options_.identity.lane,
            progress ? std::optional(progress->offsets) : std::nullopt));
        while (!stop.stop_requested()) {
            const auto wait = epoch_.empty() ? idle_wait : epoch_.wait(lane_.clock_.steady());
            auto delivery = TRY(reader->next(stop, wait));
            const bool nothing = !delivery;
            if (delivery) TRY(take(std::move(*delivery)));
            if (at_boundary_ && epoch_.due(lane_.clock_.steady(), nothing || at_end_)) TRY(commit());
            else if (nothing && epoch_.empty()) TRY(idle());
        }
        return finish();
    }

private:
    auto resume_from(const Progress& progress) -> void {
        pending_ = progress;
        last_bare_commit_ = lane_.clock_.steady();
        lane_.status_.lane(lane_.options_.index, [&](LaneStatus& status) {
            status.committed = progress;
            status.reached = progress.position;
            status.reached_commit_time_us = progress.commit_time_us;
            status.image_complete = progress.offsets.image_complete;
        });
    }

    auto take(Delivery delivery) -> Result<void> {
        const auto& frame = delivery.frame;
        std::int64_t rows = 0;
        for (const auto& batch : frame.batches)
            rows += TRY(shaper_.apply(batch, frame.first.lineage, put_));
        if (delivery.at_end) rows += TRY(shaper_.flush(put_));
        const bool brings_rows = rows > 0 || shaper_.holds_rows();
        pending_.offsets = std::move(delivery.after);
        at_boundary_ = frame.ends_transaction;
        at_end_ = delivery.at_end;
        if (frame.kind == FrameKind::changes || frame.kind == FrameKind::position) {
            pending_.position = frame.last;
            pending_.commit_time_us = frame.commit_time_us;
        }
        // The end of an image is progress that must not wait: changes begin behind it.
        const bool image_ends = frame.marker && frame.marker->kind == MarkerKind::complete;
        if (image_ends) pending_.position = pending_.offsets.consistent_point;
        if (brings_rows && frame.kind == FrameKind::changes)
            sent_us_.push_back(frame.commit_time_us);
        if (brings_rows || image_ends || !at_boundary_)
            epoch_.add(rows, static_cast<std::int64_t>(frame.bytes()), lane_.clock_.steady());
        else bare_progress_ = true;
        if (epoch_.empty()) publish_reached();
        return {};
    }

    // Rows for the open epoch; with rejects nothing was taken.
    auto write(const Batch& batch) -> Result<Rejects> {
        auto& known = known_[batch.schema->name];
        const auto version = std::pair(batch.schema->generation, batch.schema->version);
        if (known != version) {
            TRY(sink_.evolve(batch.schema));
            known = version;
            // A table that the sink makes is worth a commit, also while it is empty.
            epoch_.add(0, 0, lane_.clock_.steady());
        }
        if (batch.rows->num_rows() == 0) return Rejects{};
        auto rejects = TRY(sink_.write(batch));
        if (rejects.empty()) count_rows(batch, counts_[batch.schema->name]);
        return rejects;
    }

    auto commit() -> Result<void> {
        if (shaper_.holds_rows()) epoch_.add(TRY(shaper_.flush(put_)), 0, lane_.clock_.steady());
        TRY(shaper_.before_commit());
        failpoint("lane.before_commit");
        pending_.incarnation = lane_.options_.identity.incarnation;
        const auto started = lane_.clock_.steady();
        const auto committed = TRY(sink_.commit(pending_));
        const auto ended = lane_.clock_.steady();
        failpoint("lane.after_commit");
        const auto rows = epoch_.rows();
        const auto flows = shaper_.take_counts();
        epoch_.committed(started, ended);
        lane_.backoff_.after_success();
        bare_progress_ = false;
        last_bare_commit_ = ended;
        lane_.status_.lane(lane_.options_.index, [&](LaneStatus& status) {
            status.committed = pending_;
            status.image_complete = pending_.offsets.image_complete;
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
        });
        counts_.clear();
        sent_us_.clear();
        publish_reached();
        return release(committed);
    }

    auto idle() -> Result<void> {
        const auto now = lane_.clock_.steady();
        if (bare_progress_ && now - last_bare_commit_ >= bare_progress_interval) return commit();
        return release(TRY(sink_.settle(false)));
    }

    // Stop was asked for. A transaction that is not whole yet is left to the next start.
    auto finish() -> Result<void> {
        if (at_boundary_ && (!epoch_.empty() || bare_progress_)) TRY(commit());
        return release(TRY(sink_.settle(true)));
    }

    auto release(const Committed& committed) -> Result<void> {
        if (!committed.safe || committed.safe == released_) return {};
        TRY(lane_.queue_.release(lane_.options_.identity.lane, *committed.safe));
        released_ = committed.safe;
        failpoint("lane.after_release");
        return {};
    }

    auto publish_reached() -> void {
        lane_.status_.lane(lane_.options_.index, [&](LaneStatus& status) {
            status.reached = pending_.position;
            status.reached_commit_time_us = pending_.commit_time_us;
            if (!pending_.offsets.image_complete) status.phase = Phase::snapshotting;
            else status.phase = at_end_ ? Phase::streaming : Phase::catching_up;
        });
    }

    // By two clocks, so never taken for more than a hint; not below zero.
    [[nodiscard]] auto seconds_since(std::int64_t wall_us) const -> double {
        return std::max(0.0, static_cast<double>(lane_.clock_.wall_us() - wall_us) / 1e6);
    }

    static auto add(const TableCounts& from, TableCounts& to) -> void {
        to.snapshot_rows += from.snapshot_rows;
        to.inserts += from.inserts;
        to.updates += from.updates;
        to.deletes += from.deletes;
        to.truncates += from.truncates;
    }

    Lane& lane_;
    Sink& sink_;
    Shaper& shaper_;
    const Shaper::Put put_ = [this](const Batch& batch) { return write(batch); };
    Epoch epoch_;
    Progress pending_;
    bool at_boundary_ = true;
    bool at_end_ = false;
    bool bare_progress_ = false;
    Duration last_bare_commit_{};
    std::optional<Offsets> released_;
    std::map<TableName, std::pair<Generation, std::uint64_t>> known_;
    std::map<TableName, TableCounts> counts_;
    std::vector<std::int64_t> sent_us_;  // commit times of the epoch's frames
};

Lane::Lane(LaneOptions options, SinkMaker make_sink, Queue& queue, const Clock& clock,
           Status& status, SinkOffer offer)
    : options_(std::move(options)),
      make_sink_(std::move(make_sink)),
      queue_(queue),
      clock_(clock),
      status_(status),
      offer_(std::move(offer)),
      backoff_(options_.backoff, options_.seed) {}

auto Lane::run(const std::stop_token& stop) -> Result<void> {
    while (true) {
        auto result = [&]() -> Result<void> {
            const auto sink = TRY(make_sink_());
            const auto shaper =
                TRY(options_.make_shaper ? options_.make_shaper() : Shaper::make({}));
            auto attempt = Attempt(*this, *sink, *shaper);
            offer_(sink.get());
            auto outcome = attempt.run(stop);
            offer_(nullptr);
            return outcome;
        }();
        if (result || stop.stop_requested()) {
            status_.lane(options_.index, [](LaneStatus& status) { status.phase = Phase::stopped; });
            // What the last commit met when stop came is made up for at the next start, unless a
            // person must look.
            if (result || answer_to(result.error().fault) == Action::stop) return result;
            log(LogLevel::warning, "sink {}: {}", options_.identity.lane, describe(result.error()));
            return {};
        }
        if (!wait_after(result.error(), stop)) return result;
    }
}

// False: the policy ends the lane.
auto Lane::wait_after(const Error& error, const std::stop_token& stop) -> bool {
    const auto action = answer_to(error.fault);
    const auto pause = backoff_.after_failure();
    status_.lane(options_.index, [&](LaneStatus& status) {
        note_failure(status, error, action == Action::stop);
        status.message = describe(error);
        status.failures_in_a_row = backoff_.failures();
        status.circuit_open = backoff_.circuit_open();
    });
    if (action == Action::stop) return false;
    log(LogLevel::warning, "sink {}: {}", options_.identity.lane, describe(error));
    if (action == Action::back_off || backoff_.circuit_open()) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait_for(lock, stop, pause, [] { return false; });
    }
    return true;
}

}  // namespace leat
