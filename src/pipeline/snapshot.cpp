// Snapshot: markers around the image, workers over its chunks.
#include "pipeline/snapshot.hpp"

#include <arrow/record_batch.h>

#include <thread>
#include <utility>

#include "base/failpoint.hpp"

namespace leat {

auto Snapshot::append_marker(MarkerKind kind, const Position& position) -> Result<void> {
    Frame frame;
    frame.kind = FrameKind::marker;
    frame.generation = generation_;
    frame.first = frame.last = position;
    frame.marker = Marker{kind, generation_, position, 0, {}};
    for (const auto& chunk : chunks_)
        if (frame.marker->tables.empty() || frame.marker->tables.back() != chunk.schema->name)
            frame.marker->tables.push_back(chunk.schema->name);
    TRY(queue_.append(frame, {}));
    return {};
}

auto Snapshot::begin(const std::optional<GenerationState>& newest, const std::stop_token& stop)
    -> Result<void> {
    snapshots_ = dynamic_cast<Snapshots*>(&source_);
    if (snapshots_ == nullptr)
        return Error{Fault::config, "the source cannot be read as a whole", "Use another source.", ""};
    SnapshotRequest request;
    request.stop = stop;
    if (newest) {
        generation_ = newest->generation;
        if (!newest->aborted) TRY(append_marker(MarkerKind::aborted, {newest->lineage, 0, 0, ""}));
        request.generation = newest->generation + 1;
        request.lineage = newest->lineage + 1;
        request.retake = true;
    }
    generation_ = request.generation;
    TRY(append_marker(MarkerKind::begin, {request.lineage, 0, 0, ""}));
    failpoint("capture.after_begin");
    point_ = TRY(snapshots_->begin(request));
    failpoint("snapshot.begin");
    chunks_ = TRY(snapshots_->chunks());
    status_.capture([&](CaptureStatus& status) {
        status.chunks = static_cast<std::int64_t>(chunks_.size());
        status.chunks_done = 0;
        for (auto& [table, counts] : status.tables) counts = {};
        for (const auto& chunk : chunks_)
            status.tables[chunk.schema->name].snapshot_rows_estimate +=
                static_cast<std::int64_t>(chunk.rows_estimate);
    });
    return append_marker(MarkerKind::point, point_);
}

auto Snapshot::take(const std::stop_token& stop) -> Result<void> {
    Guarded<Result<void>> outcome;
    {
        std::stop_source workers_stop;
        const std::stop_callback forward(stop, [&] { workers_stop.request_stop(); });
        std::vector<std::jthread> workers;
        for (std::size_t worker = 0; worker < workers_; ++worker)
            workers.emplace_back([&, worker] {
                auto result = read_chunks(worker, workers_stop.get_token());
                if (result) return;
                outcome.with([&](Result<void>& first) {
                    if (first) first = std::move(result);
                });
                workers_stop.request_stop();
            });
    }
    TRY(outcome.copy());
    if (stop.stop_requested()) return {};
    failpoint("snapshot.end");
    const auto settled = TRY(snapshots_->end());
    TRY(append_marker(MarkerKind::complete, settled));
    status_.capture([&](CaptureStatus& status) {
        status.phase = Phase::streaming;
        // The image holds all up to its point, even if no change ever follows.
        if (status.durable < settled) status.durable = settled;
    });
    return {};
}

auto Snapshot::read_chunks(std::size_t worker, const std::stop_token& stop) -> Result<void> {
    while (!stop.stop_requested()) {
        const auto index = next_chunk_.with([](std::size_t& next) { return next++; });
        if (index >= chunks_.size()) return {};
        const auto& chunk = chunks_[index];
        const auto receive = [&](Batch batch) -> Result<void> {
            failpoint("snapshot.chunk_read");
            Frame frame;
            frame.kind = FrameKind::snapshot;
            frame.generation = generation_;
            frame.first = frame.last = point_;
            const auto rows = batch.rows->num_rows();
            frame.batches.push_back(std::move(batch));
            TRY(queue_.append(frame, stop));
            failpoint("snapshot.chunk_appended");
            status_.capture([&](CaptureStatus& status) {
                status.tables[chunk.schema->name].snapshot_rows += rows;
            });
            return {};
        };
        TRY(snapshots_->read_chunk(chunk, worker, receive, stop));
        status_.capture([](CaptureStatus& status) { status.chunks_done += 1; });
    }
    return {};
}

}  // namespace leat
