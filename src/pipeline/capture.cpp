// Capture: one attempt makes and opens a source and runs its stages; the loop around it asks the
// policy what a failure means.
#include "pipeline/capture.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/bounded_queue.hpp"
#include "base/failpoint.hpp"
#include "observe/log.hpp"
#include "pipeline/markers.hpp"
#include "pipeline/policy.hpp"
#include "pipeline/snapshot.hpp"

namespace leat {

namespace {

// The stages of one attempt end together: the first error wins and stops the others.
class FirstError {
public:
    auto note(Result<void> result, std::stop_source& stages) -> void {
        if (result) return;
        error_.with([&](std::optional<Error>& error) {
            if (!error) error = std::move(result).error();
        });
        stages.request_stop();
    }
    [[nodiscard]] auto outcome() const -> Result<void> {
        if (auto error = error_.copy()) return *std::move(error);
        return {};
    }

private:
    Guarded<std::optional<Error>> error_;
};

// Frames → queue → confirm. The only place that confirms, and it needs the queue's proof for it.
auto append_all(BoundedQueue<Frame>& frames, Queue& queue, Markers& markers, Source& source,
                Status& status, Backoff& backoff, const std::stop_token& stop) -> Result<void> {
    bool at_boundary = true;
    while (const auto frame = frames.pop(stop)) {
        if (frame->kind == FrameKind::marker) {
            if (at_boundary) TRY(markers.flush(queue, stop));
            continue;
        }
        failpoint("capture.before_append");
        const auto durable = TRY(queue.append(*frame, stop));
        failpoint("capture.after_append");
        TRY(source.confirm(durable));
        at_boundary = frame->ends_transaction;
        if (at_boundary) TRY(markers.flush(queue, stop));
        backoff.after_success();
        status.capture([&](CaptureStatus& capture) {
            if (capture.phase != Phase::snapshotting) capture.phase = Phase::streaming;
            capture.failures_in_a_row = 0;
            capture.circuit_open = false;
            capture.durable = durable.position();
            capture.durable_commit_time_us = frame->commit_time_us;
            capture.frames += 1;
            capture.bytes += static_cast<std::int64_t>(frame->bytes());
            for (const auto& batch : frame->batches)
                count_rows(batch, capture.tables[batch.schema->name]);
            for (const auto& rows : frame->passed_over)
                count_passed_over(rows, capture.tables[rows.table]);
            for (const auto& [table, rows] : frame->looked_up) {
                capture.tables[table].looked_up += rows;
                capture.eventual.insert(table);
            }
        });
    }
    return {};
}

auto images_of(const ResumePoint& point) -> std::map<TableName, Position> {
    std::map<TableName, Position> images;
    for (const auto& each : point.generations)
        if (each.purpose == Purpose::added && each.sinks.empty() && each.point)
            for (const auto& table : each.tables) images[table] = *each.point;
    return images;
}

auto read_all(Source& source, Completion& completion, BoundedQueue<Frame>& frames,
              const std::stop_token& stop) -> Result<void> {
    while (!stop.stop_requested()) {
        auto frame = TRY(source.read(stop));
        TRY(completion.run(frame, stop));
        const auto bytes = frame.bytes();
        frames.push(frame, bytes, stop);
    }
    return {};
}

}  // namespace

Capture::Capture(CaptureOptions options, SourceMaker make_source, Queue& queue, Status& status,
                 ImageRequests& requests, HeadReceiver on_head, const Clock& clock)
    : options_(options),
      make_source_(std::move(make_source)),
      queue_(queue),
      status_(status),
      requests_(requests),
      on_head_(std::move(on_head)),
      clock_(clock),
      backoff_(options.backoff, options.seed) {}

auto Capture::run(const std::stop_token& stop) -> Result<void> {
    while (true) {
        const auto result = attempt(stop);
        if (stop.stop_requested()) {
            status_.capture([](CaptureStatus& status) { status.phase = Phase::stopped; });
            // What a stage was busy with when stop came is no failure, unless data are in danger.
            const bool harmless = result || answer_to(result.error().fault) != Action::stop;
            return harmless ? Result<void>() : result;
        }
        if (result) continue;
        if (!wait_after(result.error(), stop)) return result;
    }
}

auto Capture::attempt(const std::stop_token& stop) -> Result<void> {
    const auto source = TRY(make_source_());
    auto result = flow(*source, stop);
    if (const auto* snapshots = dynamic_cast<Snapshots*>(source.get()))
        stale_.merge(snapshots->stale());
    return result;
}

auto Capture::flow(Source& source, const std::stop_token& stop) -> Result<void> {
    const auto point = TRY(queue_.resume_point());
    std::optional<Resume> resume;
    if (point.position)
        resume = Resume{*point.position, point.schemas, images_of(point), point.tables};
    if (resume) {
        std::erase_if(resume->schemas,
                      [&](const auto& schema) { return stale_.contains(schema->name); });
        for (const auto& table : stale_) resume->tables.erase(table);
        // Otherwise two tables that are stale by turns would make each other so for ever.
        for (const auto& table : without_image(point, kept_images(point, source)))
            resume->tables.erase(table);
    }
    const auto opened = TRY(source.open(resume));
    if (opened.gap) {
        if (options_.on_gap == OnGap::stop) return *opened.gap;
        log(LogLevel::warning, "source: {}; all tables are read anew", describe(*opened.gap));
        resume.reset();
    }

    std::stop_source stages;
    const std::stop_callback forward(stop, [&] { stages.request_stop(); });
    FirstError first;
    BoundedQueue<Frame> frames(options_.buffer_bytes);
    Markers markers(frames);
    Snapshot snapshot(
        {source, queue_, status_, requests_, markers, clock_, options_.snapshot_workers});
    if (resume) TRY(snapshot.plan(point, opened.tables, stale_));
    else TRY(snapshot.begin_anew(point, opened.tables, stages.get_token()));
    stale_.clear();
    // Only now the queue tells which images are due.
    if (!head_known_) {
        on_head_(TRY(source.head()));
        head_known_ = true;
    }
    status_.capture([&](CaptureStatus& status) {
        status.phase = resume ? Phase::streaming : Phase::snapshotting;
        status.imaging.clear();
        // Known before the first frame: a source where nothing happens sends none.
        if (resume) status.durable = resume->position;
        for (const auto& table : opened.tables) status.tables[table];
        status.message.clear();
    });

    {
        const std::jthread appender([&] {
            first.note(append_all(frames, queue_, markers, source, status_, backoff_,
                                  stages.get_token()),
                       stages);
        });
        const std::jthread images([&] { first.note(snapshot.run(stages.get_token()), stages); });
        Completion completion(options_.completion, source, status_, point.schemas);
        first.note(read_all(source, completion, frames, stages.get_token()), stages);
        stages.request_stop();
    }
    return first.outcome();
}

// False: the policy ends capture.
auto Capture::wait_after(const Error& error, const std::stop_token& stop) -> bool {
    const auto action = answer_to(error.fault);
    const auto pause = backoff_.after_failure();
    status_.capture([&](CaptureStatus& status) {
        note_failure(status, error, action == Action::stop);
        status.message = describe(error);
        status.failures_in_a_row = backoff_.failures();
        status.circuit_open = backoff_.circuit_open();
    });
    if (action == Action::stop) return false;
    log(LogLevel::warning, "source: next attempt in {} ms: {}",
        std::chrono::duration_cast<std::chrono::milliseconds>(pause).count(), describe(error));
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait_for(lock, stop, pause, [] { return false; });
    return true;
}

}  // namespace leat
