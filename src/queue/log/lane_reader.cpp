// The order in which a lane applies the log.
#include "queue/log/lane_reader.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

namespace leat::log_queue {

namespace {

// With the lock held. Whether every frame from `offset` on is still there, and none is made up.
auto reaches(const SequenceState& sequence, std::uint64_t offset) -> bool {
    const auto first = sequence.segments.empty() ? 0 : sequence.segments.front().base_offset;
    return offset >= first && offset <= sequence.visible_end;
}

auto refuse(SequenceKind kind, const SequenceState& sequence, std::uint64_t offset) -> Error {
    const auto what = std::string(to_string(kind)) + " offset " + std::to_string(offset);
    if (offset > sequence.visible_end)
        return needs_rebuild("the target is ahead of the log: " + what + ", log ends at " +
                             std::to_string(sequence.visible_end));
    return needs_rebuild("the log no longer reaches back to the target: " + what +
                         ", log begins at " +
                         std::to_string(sequence.segments.front().base_offset));
}

}  // namespace

auto LogLaneReader::make(Log& log, const std::optional<Offsets>& from)
    -> Result<std::unique_ptr<LogLaneReader>> {
    auto reader = std::unique_ptr<LogLaneReader>(new LogLaneReader(log));
    const std::lock_guard lock(log.mutex);
    const auto& newest = log.state.current.generation;
    const auto& changes = log.state.of(SequenceKind::changes);
    const auto& snapshot = log.state.of(SequenceKind::snapshot);
    if (!from || from->generation == 0) {
        // An image that runs or is complete must be there as a whole, and all changes since.
        if (newest.generation == 0 || newest.aborted || !newest.has_point) return reader;
        if (!reaches(snapshot, newest.point_offset))
            return refuse(SequenceKind::snapshot, snapshot, newest.point_offset);
        if (!reaches(changes, newest.begin_offset))
            return refuse(SequenceKind::changes, changes, newest.begin_offset);
        return reader;
    }
    if (from->generation > newest.generation)
        return needs_rebuild("the target is ahead of the log: generation " +
                             std::to_string(from->generation) + ", log is at " +
                             std::to_string(newest.generation));
    reader->offsets_ = *from;
    if (from->image_complete) {
        if (!reaches(changes, from->change_offset))
            return refuse(SequenceKind::changes, changes, from->change_offset);
        reader->changes_.emplace(log, SequenceKind::changes, from->change_offset);
        reader->phase_ = Phase::changes;
    } else if (from->generation == newest.generation && !newest.aborted) {
        if (!reaches(snapshot, from->snapshot_offset))
            return refuse(SequenceKind::snapshot, snapshot, from->snapshot_offset);
        if (!reaches(changes, from->change_offset))
            return refuse(SequenceKind::changes, changes, from->change_offset);
        reader->image_.emplace(log, SequenceKind::snapshot, from->snapshot_offset);
        reader->phase_ = Phase::image;
    }
    return reader;
}

auto LogLaneReader::next(const std::stop_token& stop, Duration wait)
    -> Result<std::optional<Delivery>> {
    const auto deadline = log_.clock.steady() + std::min<Duration>(wait, std::chrono::hours(24));
    while (!stop.stop_requested()) {
        std::uint64_t version = 0;
        {
            const std::lock_guard lock(log_.mutex);
            version = log_.state.version;
        }
        if (auto delivery = TRY(step())) return delivery;
        const auto left = deadline - log_.clock.steady();
        if (left <= Duration::zero()) break;
        std::unique_lock lock(log_.mutex);
        if (!log_.changed.wait_for(lock, stop, left, [&] { return log_.state.version != version; }))
            break;
    }
    return std::optional<Delivery>();
}

auto LogLaneReader::newest() const -> GenerationRecord {
    const std::lock_guard lock(log_.mutex);
    return log_.state.current.generation;
}

auto LogLaneReader::step() -> Result<std::optional<Delivery>> {
    if (phase_ == Phase::image) {
        const auto generation = newest();
        // Given up: the newer one begins with empty tables.
        if (generation.generation != offsets_.generation || generation.aborted)
            phase_ = Phase::waiting;
    }
    if (phase_ == Phase::waiting && !TRY(step_waiting())) return std::optional<Delivery>();
    return phase_ == Phase::image ? step_image() : step_changes();
}

auto LogLaneReader::step_waiting() -> Result<bool> {
    const auto generation = newest();
    {
        const std::lock_guard lock(log_.mutex);
        if (log_.state.broken) return *log_.state.broken;
    }
    if (generation.generation == 0 || generation.aborted || !generation.has_point) return false;
    TRY(start_image(generation));
    return true;
}

auto LogLaneReader::start_image(const GenerationRecord& generation) -> Result<void> {
    offsets_ = {};
    offsets_.generation = generation.generation;
    offsets_.consistent_point = generation.consistent_point;
    offsets_.snapshot_offset = generation.point_offset;
    offsets_.change_offset = generation.begin_offset;
    image_.emplace(log_, SequenceKind::snapshot, generation.point_offset);
    changes_.reset();
    phase_ = Phase::image;
    return {};
}

auto LogLaneReader::step_image() -> Result<std::optional<Delivery>> {
    while (const auto header = TRY(image_->peek())) {
        if (header->generation != offsets_.generation) {
            image_->skip();
            continue;
        }
        auto frame = TRY(image_->take());
        offsets_.snapshot_offset = image_->offset();
        if (frame.marker && frame.marker->kind == MarkerKind::complete) {
            offsets_.image_complete = true;
            changes_.emplace(log_, SequenceKind::changes, offsets_.change_offset);
            image_.reset();
            phase_ = Phase::changes;
            return deliver(std::move(frame), *changes_);
        }
        return deliver(std::move(frame), *image_);
    }
    return std::optional<Delivery>();
}

auto LogLaneReader::step_changes() -> Result<std::optional<Delivery>> {
    const auto header = TRY(changes_->peek());
    if (!header) return std::optional<Delivery>();
    if (header->kind == DiskKind::marker && header->generation > offsets_.generation) {
        // A newer generation begins here: from now on the lane follows the newest there is, as soon
        // as it has a point. One that was given up is always followed by another.
        const auto generation = newest();
        if (generation.aborted || !generation.has_point) return std::optional<Delivery>();
        TRY(start_image(generation));
        return step_image();
    }
    auto frame = TRY(changes_->take());
    offsets_.change_offset = changes_->offset();
    leave_out_image(frame);
    return deliver(std::move(frame), *changes_);
}

auto LogLaneReader::deliver(Frame frame, const Cursor& cursor) -> Delivery {
    const auto kind = phase_ == Phase::image ? SequenceKind::snapshot : SequenceKind::changes;
    const std::lock_guard lock(log_.mutex);
    const bool at_end = cursor.offset() >= log_.state.of(kind).readable_end;
    return {std::move(frame), offsets_, at_end};
}

// Whole transactions at or below the consistent point are in the image already.
auto LogLaneReader::leave_out_image(Frame& frame) const -> void {
    const auto& point = offsets_.consistent_point;
    if (frame.first.lineage > point.lineage ||
        (frame.first.lineage == point.lineage && frame.first.commit > point.commit))
        return;
    if (frame.last.lineage < point.lineage ||
        (frame.last.lineage == point.lineage && frame.last.commit <= point.commit)) {
        frame.batches.clear();
        return;
    }
    std::vector<Batch> kept;
    for (auto& batch : frame.batches) {
        const auto& commits =
            static_cast<const arrow::UInt64Array&>(*batch.rows->column(commit_column));
        const auto* begin = commits.raw_values();
        const auto* first = std::upper_bound(begin, begin + commits.length(), point.commit);
        if (first == begin + commits.length() && commits.length() > 0) continue;
        kept.push_back(first == begin ? std::move(batch) : slice(batch, first - begin));
    }
    frame.batches = std::move(kept);
}

}  // namespace leat::log_queue
