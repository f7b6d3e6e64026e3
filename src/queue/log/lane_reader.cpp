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

auto pass_over(const Batch& batch, std::int64_t rows, Frame& frame) -> void {
    if (rows > 0) frame.passed_over.push_back({batch.schema->name, "in_image", rows});
}

}  // namespace

auto check_place(const LogState& state, const Place& place) -> Result<void> {
    const auto& changes = state.of(SequenceKind::changes);
    const auto& snapshot = state.of(SequenceKind::snapshot);
    if (place.generation > state.current.newest())
        return needs_rebuild("the target is ahead of the log: generation " +
                             std::to_string(place.generation) + ", log is at " +
                             std::to_string(state.current.newest()));
    if (!place.image_complete && !reaches(snapshot, place.snapshot_offset))
        return refuse(SequenceKind::snapshot, snapshot, place.snapshot_offset);
    if (!reaches(changes, place.change_offset))
        return refuse(SequenceKind::changes, changes, place.change_offset);
    return {};
}

LogLaneReader::LogLaneReader(Log& log, const Place& from)
    : log_(log), place_(from), changes_(log, SequenceKind::changes, from.change_offset) {
    if (!from.image_complete) image_.emplace(log, SequenceKind::snapshot, from.snapshot_offset);
}

auto LogLaneReader::make(Log& log, const Place& from) -> Result<std::unique_ptr<LogLaneReader>> {
    const std::lock_guard lock(log.mutex);
    TRY(check_place(log.state, from));
    return std::unique_ptr<LogLaneReader>(new LogLaneReader(log, from));
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

auto LogLaneReader::step() -> Result<std::optional<Delivery>> {
    if (image_) return step_image();
    if (!TRY(changes_.peek())) return std::optional<Delivery>();
    auto frame = TRY(changes_.take());
    place_.change_offset = changes_.offset();
    leave_out_image(frame);
    return deliver(std::move(frame), changes_, SequenceKind::changes);
}

auto LogLaneReader::step_image() -> Result<std::optional<Delivery>> {
    while (const auto header = TRY(image_->peek())) {
        if (header->generation != place_.generation) {
            image_->skip();
            continue;
        }
        auto frame = TRY(image_->take());
        place_.snapshot_offset = image_->offset();
        if (frame.marker && frame.marker->kind == MarkerKind::point)
            place_.consistent_point = frame.marker->position;
        if (!frame.marker || frame.marker->kind != MarkerKind::end)
            return deliver(std::move(frame), *image_, SequenceKind::snapshot);
        place_.settled_point = frame.marker->position;
        place_.image_complete = true;
        image_.reset();
        return deliver(std::move(frame), changes_, SequenceKind::changes);
    }
    return std::optional<Delivery>();
}

auto LogLaneReader::deliver(Frame frame, const Cursor& cursor, SequenceKind kind) -> Delivery {
    const std::lock_guard lock(log_.mutex);
    const bool at_end = cursor.offset() >= log_.state.of(kind).readable_end;
    return {std::move(frame), place_, at_end};
}

// Whole transactions at or below the consistent point are in the image already.
auto LogLaneReader::leave_out_image(Frame& frame) const -> void {
    const auto& point = place_.consistent_point;
    if (frame.first.lineage > point.lineage ||
        (frame.first.lineage == point.lineage && frame.first.commit > point.commit))
        return;
    if (frame.last.lineage < point.lineage ||
        (frame.last.lineage == point.lineage && frame.last.commit <= point.commit)) {
        for (const auto& batch : frame.batches) pass_over(batch, batch.rows->num_rows(), frame);
        frame.batches.clear();
        return;
    }
    std::vector<Batch> kept;
    for (auto& batch : frame.batches) {
        const auto& commits =
            static_cast<const arrow::UInt64Array&>(*batch.rows->column(commit_column));
        const auto* begin = commits.raw_values();
        const auto* first = std::upper_bound(begin, begin + commits.length(), point.commit);
        pass_over(batch, first - begin, frame);
        if (first == begin + commits.length() && commits.length() > 0) continue;
        kept.push_back(first == begin ? std::move(batch) : slice(batch, first - begin));
    }
    frame.batches = std::move(kept);
}

}  // namespace leat::log_queue
