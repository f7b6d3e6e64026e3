// Snapshot: what is due, markers around each image, workers over its chunks.
#include "pipeline/snapshot.hpp"

#include <arrow/record_batch.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/failpoint.hpp"
#include "observe/log.hpp"
#include "pipeline/image_appender.hpp"
#include "pipeline/routes.hpp"

namespace leat {

namespace {

auto newest_of(const ResumePoint& point) -> Generation {
    return point.generations.empty() ? 0 : point.generations.back().generation;
}

auto lineage_of(const ResumePoint& point) -> std::uint32_t {
    std::uint32_t lineage = 0;
    for (const auto& each : point.generations) lineage = std::max(lineage, each.lineage);
    return lineage;
}

auto frame_of(Marker marker) -> Frame {
    Frame frame;
    frame.kind = FrameKind::marker;
    frame.generation = marker.generation;
    frame.first = frame.last = marker.position;
    frame.marker = std::move(marker);
    return frame;
}

// Tables that were given up and that no later generation has taken, by purpose and sinks.
using Due = std::map<std::pair<Purpose, std::vector<std::string>>, std::set<TableName>>;
auto due(const ResumePoint& point, const std::set<Generation>& kept) -> Due {
    Due due;
    for (const auto& each : point.generations) {
        if (each.purpose == Purpose::anew) due.clear();
        for (auto& [who, tables] : due)
            if (each.sinks.empty() || each.sinks == who.second)
                for (const auto& table : each.tables) tables.erase(table);
        const auto purpose = each.purpose == Purpose::anew ? Purpose::added : each.purpose;
        if (!kept.contains(each.generation)) due[{purpose, each.sinks}].merge(each.missing());
    }
    return due;
}

// Tables of `a` that are in `b`, or that are not.
auto common(const std::set<TableName>& a, const std::set<TableName>& b) -> std::set<TableName> {
    std::set<TableName> result;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(),
                          std::inserter(result, result.end()));
    return result;
}
auto without(const std::set<TableName>& a, const std::set<TableName>& b) -> std::set<TableName> {
    std::set<TableName> result;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                        std::inserter(result, result.end()));
    return result;
}

auto no_images() -> Error {
    return Error{Fault::config, "the source cannot be read as a whole", "Use another source.", ""};
}

}  // namespace

auto kept_images(const ResumePoint& point, const Source& source) -> std::set<Generation> {
    std::set<Generation> kept;
    const auto* const lasting = dynamic_cast<const LastingImages*>(&source);
    if (lasting == nullptr || !point.position) return kept;
    for (const auto& each : point.generations)
        if (!each.has_ended && each.point && lasting->is_kept(each.generation))
            kept.insert(each.generation);
    return kept;
}

auto without_image(const ResumePoint& point, const std::set<Generation>& kept)
    -> std::set<TableName> {
    const auto found = due(point, kept);
    const auto tables = found.find({Purpose::added, {}});
    return tables == found.end() ? std::set<TableName>() : tables->second;
}

auto Snapshot::append_marker(MarkerKind kind, Generation generation, const Position& position,
                             std::vector<TableName> tables) -> Result<void> {
    TRY(parts_.queue.append(frame_of({kind, generation, position, std::move(tables)}), {}));
    return {};
}

auto Snapshot::begin_marker(Purpose purpose, std::set<std::string> sinks,
                            std::set<TableName> tables) -> Frame {
    Marker marker{MarkerKind::begin, ++newest_, {}, {tables.begin(), tables.end()}, purpose};
    marker.is_all = tables == all_;
    marker.sinks.assign(sinks.begin(), sinks.end());
    return frame_of(std::move(marker));
}

// What has no end by now never gets more: its tables are given up.
auto Snapshot::end_unfinished(const ResumePoint& point, const std::set<Generation>& kept)
    -> Result<void> {
    newest_ = newest_of(point);
    for (const auto& each : point.generations) {
        if (each.has_ended || kept.contains(each.generation)) continue;
        const auto missing = each.missing();
        TRY(append_marker(MarkerKind::end, each.generation, each.point.value_or(Position{}),
                          {missing.begin(), missing.end()}));
    }
    return {};
}

auto Snapshot::begin_anew(const ResumePoint& point, const std::set<TableName>& tables,
                          const std::stop_token& stop) -> Result<void> {
    snapshots_ = dynamic_cast<Snapshots*>(&parts_.source);
    if (snapshots_ == nullptr) return no_images();
    all_ = tables;
    TRY(end_unfinished(point, {}));
    SnapshotRequest request;
    request.tables = tables;
    request.lineage = lineage_of(point) + 1;
    request.is_retake = !point.generations.empty();
    request.stop = stop;
    auto marker = begin_marker(Purpose::anew, {}, tables);
    marker.marker->position.lineage = request.lineage;
    request.generation = newest_;
    TRY(parts_.queue.append(marker, {}));
    failpoint("capture.after_begin");
    jobs_.push_back({newest_, tables});
    point_ = TRY(snapshots_->begin(request));
    is_begun_ = true;
    return {};
}

// Stale tables leave, and come anew.
auto Snapshot::plan(const ResumePoint& point, const std::set<TableName>& tables,
                    const std::set<TableName>& stale) -> Result<void> {
    snapshots_ = dynamic_cast<Snapshots*>(&parts_.source);
    all_ = tables;
    const auto kept = kept_images(point, parts_.source);
    TRY(end_unfinished(point, kept));
    const auto staying = without(common(point.tables, tables), stale);
    if (const auto left = without(point.tables, staying); !left.empty())
        TRY(append_marker(MarkerKind::left, 0, {}, {left.begin(), left.end()}));
    for (const auto& each : point.generations)
        if (kept.contains(each.generation))
            jobs_.push_back({each.generation, common(each.missing(), staying), each.point});
    // One that had left is new, whatever was given up of it before.
    for (const auto& [who, given_up] : due(point, kept))
        TRY(add_job(who.first, {who.second.begin(), who.second.end()}, common(given_up, staying)));
    return add_job(Purpose::added, {}, without(tables, staying));
}

// Before anything flows.
auto Snapshot::add_job(Purpose purpose, std::set<std::string> sinks, std::set<TableName> tables)
    -> Result<void> {
    if (tables.empty()) return {};
    if (snapshots_ == nullptr) return no_images();
    TRY(parts_.queue.append(begin_marker(purpose, std::move(sinks), tables), {}));
    failpoint("capture.after_begin");
    jobs_.push_back({newest_, std::move(tables)});
    return {};
}

auto Snapshot::run(const std::stop_token& stop) -> Result<void> {
    while (!stop.stop_requested()) {
        if (!jobs_.empty()) {
            const auto job = std::exchange(jobs_.front(), {});
            jobs_.pop_front();
            TRY(take(job, stop));
            continue;
        }
        const auto request = parts_.requests.oldest(stop);
        if (!request) return {};
        if (snapshots_ == nullptr) return no_images();
        auto tables = TRY(tables_of(*request));
        if (!tables.empty()) {
            auto marker = begin_marker(Purpose::rebuild, request->sinks, tables);
            TRY(parts_.markers.append(std::move(marker), stop));
            failpoint("capture.after_begin");
            jobs_.push_back({newest_, std::move(tables)});
        }
        parts_.requests.answered();
    }
    return {};
}

auto Snapshot::tables_of(const ImageRequest& request) const -> Result<std::set<TableName>> {
    std::set<TableName> tables;
    if (request.target.empty()) {
        tables = request.tables.empty() ? all_ : common(request.tables, all_);
        if (request.behind && !request.tables.empty())
            std::erase_if(tables, [&](const auto& table) { return is_answered(request, table); });
        return tables;
    }
    for (const auto& table : all_)
        if (is_same_name(target_name(table), request.target)) tables.insert(table);
    if (tables.empty())
        return Error{Fault::config, "no such table to rebuild: " + request.target,
                     "Name a table of source.tables as its target calls it.", "--rebuild",
                     Code::run_argument};
    return tables;
}

// An image that was begun meanwhile for another reason serves as well.
auto Snapshot::is_answered(const ImageRequest& request, const TableName& table) const -> bool {
    const auto generations = parts_.queue.generations();
    return std::any_of(generations.begin(), generations.end(), [&](const GenerationState& each) {
        const bool is_for_all =
            std::all_of(request.sinks.begin(), request.sinks.end(),
                        [&](const std::string& sink) { return is_for(each.sinks, sink); });
        return is_for_all && each.start.change_offset > *request.behind &&
               std::find(each.whole.begin(), each.whole.end(), table) != each.whole.end();
    });
}

auto Snapshot::begin_job(const Job& job, const std::stop_token& stop) -> Result<void> {
    SnapshotRequest request;
    request.generation = job.generation;
    request.tables = job.tables;
    request.is_anew = false;
    request.stop = stop;
    if (!job.point) {
        point_ = TRY(snapshots_->begin(request));
        return {};
    }
    point_ = *job.point;
    return dynamic_cast<LastingImages&>(parts_.source).go_on(request);
}

auto Snapshot::take(const Job& job, const std::stop_token& stop) -> Result<void> {
    if (!std::exchange(is_begun_, false)) TRY(begin_job(job, stop));
    failpoint("snapshot.begin");
    chunks_ = TRY(snapshots_->chunks());
    show(job, false);
    if (!job.point) TRY(append_marker(MarkerKind::point, job.generation, point_, {}));
    TRY(note_whole(job));
    TRY(read_all(job, stop));
    if (stop.stop_requested()) return {};
    failpoint("snapshot.end");
    const auto settled = TRY(snapshots_->end());
    TRY(append_marker(MarkerKind::end, job.generation, settled, {}));
    show(job, true);
    return {};
}

auto Snapshot::show(const Job& job, bool is_taken) -> void {
    parts_.status.capture([&](CaptureStatus& status) {
        if (is_taken) {
            status.imaging.clear();
            if (jobs_.empty()) status.phase = Phase::streaming;
            // The image holds all up to its point, even if no change ever follows.
            if (status.durable < point_) status.durable = point_;
            return;
        }
        status.phase = Phase::snapshotting;
        status.imaging = job.tables;
        status.imaging_since = parts_.clock.steady();
        status.chunks = static_cast<std::int64_t>(chunks_.size());
        status.chunks_done = 0;
        for (const auto& table : job.tables) status.images[table] = {};
        for (const auto& chunk : chunks_)
            status.images[chunk.schema->name].estimate +=
                static_cast<std::int64_t>(chunk.rows_estimate);
    });
}

// Of one that is read on, all chunks of a table may have been there already.
auto Snapshot::note_whole(const Job& job) -> Result<void> {
    auto whole = job.tables;
    for (const auto& chunk : chunks_) whole.erase(chunk.schema->name);
    if (!job.point || whole.empty()) return {};
    return append_marker(MarkerKind::table, job.generation, point_, {whole.begin(), whole.end()});
}

auto Snapshot::read_all(const Job& job, const std::stop_token& stop) -> Result<void> {
    next_chunk_.with([](std::size_t& next) { next = 0; });
    chunks_left_.with([&](auto& left) {
        left.clear();
        for (const auto& chunk : chunks_) ++left[chunk.schema->name];
    });
    Guarded<Result<void>> outcome;
    {
        std::stop_source workers_stop;
        const std::stop_callback forward(stop, [&] { workers_stop.request_stop(); });
        std::vector<std::jthread> workers;
        for (std::size_t worker = 0; worker < parts_.workers; ++worker)
            workers.emplace_back([&, worker] {
                auto result = read_chunks(job, worker, workers_stop.get_token());
                if (result) return;
                outcome.with([&](Result<void>& first) {
                    if (first) first = std::move(result);
                });
                workers_stop.request_stop();
            });
    }
    return outcome.copy();
}

auto Snapshot::read_chunks(const Job& job, std::size_t worker, const std::stop_token& stop)
    -> Result<void> {
    auto* const lasting = dynamic_cast<LastingImages*>(&parts_.source);
    ImageAppender appender([&](const Frame& frame) { return append(frame, stop); });
    while (!stop.stop_requested()) {
        const auto index = next_chunk_.with([](std::size_t& next) { return next++; });
        if (index >= chunks_.size()) return {};
        const auto& chunk = chunks_[index];
        const auto& table = chunk.schema->name;
        std::int64_t rows = 0;
        const auto receive = [&](Batch batch) -> Result<void> {
            failpoint("snapshot.chunk_read");
            rows += batch.rows->num_rows();
            Frame frame;
            frame.kind = FrameKind::snapshot;
            frame.generation = job.generation;
            frame.first = frame.last = point_;
            frame.batches.push_back(std::move(batch));
            return appender.put(std::move(frame));
        };
        TRY(snapshots_->read_chunk(chunk, worker, receive, stop));
        TRY(appender.flush());
        if (lasting != nullptr) TRY(lasting->note_appended(chunk));
        parts_.status.capture([&](CaptureStatus& status) {
            status.chunks_done += 1;
            auto& image = status.images[table];
            image.read_of_done += rows;
            image.estimate_of_done += static_cast<std::int64_t>(chunk.rows_estimate);
        });
        TRY(chunk_is_there(job, table));
    }
    return {};
}

auto Snapshot::append(const Frame& frame, const std::stop_token& stop) -> Result<void> {
    TRY(parts_.queue.append(frame, stop));
    failpoint("snapshot.chunk_appended");
    parts_.status.capture([&](CaptureStatus& status) {
        for (const auto& batch : frame.batches) {
            status.tables[batch.schema->name].snapshot_rows += batch.rows->num_rows();
            status.images[batch.schema->name].read += batch.rows->num_rows();
        }
    });
    return {};
}

// A table whose image is there is not read again, whatever happens to the others.
auto Snapshot::chunk_is_there(const Job& job, const TableName& table) -> Result<void> {
    const bool is_whole = chunks_left_.with([&](auto& left) { return --left[table] == 0; });
    return is_whole ? append_marker(MarkerKind::table, job.generation, point_, {table})
                    : Result<void>();
}

}  // namespace leat
