// Pipeline: threads of capture and lanes, and the rule when the whole ends.
#include "pipeline/pipeline.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "observe/log.hpp"
#include "pipeline/policy.hpp"
#include "pipeline/watch.hpp"

namespace leat {

namespace {

constexpr Duration catch_up_look_every = std::chrono::milliseconds(20);
constexpr Duration watch_every = std::chrono::seconds(1);
constexpr Duration alive_within = std::chrono::seconds(10);

auto paused_error() -> Error {
    return Error{Fault::config, "a sink is paused, so the pipeline cannot catch up",
                 "Let it go on with `leat resume FILE`.", "pipeline", Code::sink_paused};
}

auto names_of(const std::vector<LanePart>& lanes) -> std::vector<std::string> {
    std::vector<std::string> names;
    for (const auto& lane : lanes) names.push_back(lane.name);
    return names;
}

// Different in every process, so that pipelines that lost one server do not retry in step.
auto seed_of(const Clock& clock, std::size_t part) -> std::uint64_t {
    return static_cast<std::uint64_t>(clock.wall_us()) + part;
}

}  // namespace

// Counts the parts that have ended, and wakes whoever waits for the next one.
class Pipeline::Ends {
public:
    auto add() -> void {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    // Returns early where stop is asked for, or where one ended since the last call.
    auto wait(const std::stop_token& stop, Duration longest) -> void {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, longest, [&] { return count_ != seen_; });
        seen_ = count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    int count_ = 0;
    int seen_ = 0;
};

// One part of the pipeline in a thread of its own; remembers how it ended.
class Pipeline::Running {
public:
    template <class Body>
    Running(std::string name, Ends& ends, Body body)
        : name_(std::move(name)), thread_([this, &ends, body](const std::stop_token& stop) {
              auto result = body(stop);
              if (!result) log(LogLevel::error, "{} stopped: {}", name_, describe(result.error()));
              result_.with([&](Result<void>& outcome) { outcome = std::move(result); });
              ended_ = true;
              ends.add();
          }) {}

    auto request_stop() -> void { thread_.request_stop(); }
    [[nodiscard]] auto ended() const -> bool { return ended_; }
    [[nodiscard]] auto failed() const -> bool { return ended_ && !result_.copy(); }
    auto join() -> Result<void> {
        thread_.join();
        return result_.copy();
    }

private:
    const std::string name_;
    Guarded<Result<void>> result_;
    std::atomic<bool> ended_{false};
    std::jthread thread_;
};

Pipeline::Pipeline(PipelineParts parts, const Clock& clock)
    : parts_(std::move(parts)),
      clock_(clock),
      status_(parts_.name, names_of(parts_.lanes), clock.wall_us()),
      pauses_(parts_.pauses, names_of(parts_.lanes)) {
    for (const auto& lane : parts_.lanes) {
        doors_.push_back(std::make_unique<Door>());
        doors_.back()->name = lane.name;
        letters_.emplace_back(lane.letters);
    }
}

auto Pipeline::run_lane(std::size_t index, const std::stop_token& stop) -> Result<void> {
    const auto& part = parts_.lanes[index];
    LaneOptions options;
    options.index = index;
    const auto queue = parts_.queue->identity();
    options.identity = {parts_.name, part.name, queue.id, queue.incarnation};
    options.make_shaper = part.make_shaper;
    options.epoch = parts_.epoch;
    options.backoff = parts_.backoff;
    options.seed = seed_of(clock_, index + 1);
    options.requests = has_capture_ ? &requests_ : nullptr;
    auto& door = *doors_[index];
    Lane lane(std::move(options), part.make_sink, *parts_.queue, clock_, status_, [&](Sink* sink) {
        door.closing.request_stop();
        const std::unique_lock lock(door.mutex);
        door.closing = std::stop_source();
        door.sink = sink;
    });
    while (true) {
        if (pauses_.is_paused(part.name)) {
            status_.lane(index, [](LaneStatus& status) { status.phase = Phase::paused; });
            pauses_.wait_for_end(part.name, stop);
        }
        std::stop_source rest;
        const std::stop_callback when_stopped(stop, [&] { rest.request_stop(); });
        const std::stop_callback when_paused(pauses_.rest(part.name), [&] { rest.request_stop(); });
        auto result = lane.run(rest.get_token());
        if (!result || stop.stop_requested()) return result;
    }
}

auto Pipeline::run_capture(const std::stop_token& stop) -> Result<void> {
    auto options = parts_.capture;
    options.seed = seed_of(clock_, 0);
    Capture capture(options, parts_.make_source, *parts_.queue, status_, requests_,
                    [&](const Position& head) {
                        target_.with([&](auto& target) { target = head; });
                    },
                    clock_);
    return capture.run(stop);
}

auto Pipeline::run_watch(const std::stop_token& stop) -> Result<void> {
    Watch(TRY(parts_.make_source()), status_, clock_).run(stop);
    return {};
}

// One thread for all sinks: copies are for readers who can wait.
auto Pipeline::run_copies(const std::stop_token& stop) -> Result<void> {
    std::mutex mutex;
    std::condition_variable_any wake;
    while (!stop.stop_requested()) {
        for (std::size_t i = 0; i < doors_.size(); ++i) copy_if_due(i, stop);
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, watch_every, [] { return false; });
    }
    return {};
}

auto Pipeline::copy_if_due(std::size_t index, const std::stop_token& stop) -> void {
    auto& door = *doors_[index];
    const std::shared_lock lock(door.mutex);
    auto* copying = dynamic_cast<Copying*>(door.sink);
    if (copying == nullptr || copying->copy_every() == Duration::zero()) return;
    const auto now = clock_.steady();
    const auto started_us = clock_.wall_us();
    bool is_whole = false;
    std::int64_t commits = 0;
    status_.lane(index, [&](LaneStatus& lane) {
        lane.copy.is_wanted = true;
        is_whole = lane.image_complete;
        commits = lane.commits;
    });
    const bool is_early = door.copied_at && now - *door.copied_at < copying->copy_every();
    // A half-filled table is no use to anybody.
    if (!is_whole || is_early || door.copied == commits) return;
    door.copied_at = now;
    std::stop_source end;
    const std::stop_callback when_stopped(stop, [&] { end.request_stop(); });
    const std::stop_callback when_closing(door.closing.get_token(), [&] { end.request_stop(); });
    const auto result = copying->copy(end.get_token());
    if (!result && end.stop_requested()) return;
    if (result) door.copied = commits;
    else log(LogLevel::warning, "sink {}: {}", door.name, describe(result.error()));
    const auto took = std::chrono::duration<double>(clock_.steady() - now).count();
    status_.lane(index, [&](LaneStatus& lane) {
        auto& copy = lane.copy;
        copy.error = result ? std::nullopt : std::optional(result.error());
        if (!result) {
            ++copy.failures;
            return;
        }
        ++copy.made;
        copy.made_us = started_us;
        copy.seconds = took;
    });
}

auto Pipeline::status() const -> PipelineStatus {
    auto status = status_.copy();
    judge_.with([&](Judge& judge) { judge.judge(status, clock_.wall_us(), clock_.steady()); });
    return status;
}

auto Pipeline::is_alive() const -> bool {
    const Duration looked_at(looked_at_.load());
    return looked_at > Duration::zero() && clock_.steady() - looked_at < alive_within;
}

auto Pipeline::run(const RunOptions& options, const std::stop_token& stop) -> Result<void> {
    if (options.only == Only::deliver) {
        const auto point = TRY(parts_.queue->resume_point());
        target_.with([&](auto& target) { target = point.position.value_or(Position{}); });
    }
    has_capture_ = options.only != Only::deliver;
    for (const auto& request : parts_.rebuilds) requests_.add(request);
    status_.takes_part(options.only != Only::deliver, options.only != Only::capture);
    Ends ends;
    std::vector<std::unique_ptr<Running>> lanes;
    if (options.only != Only::capture)
        for (std::size_t i = 0; i < parts_.lanes.size(); ++i)
            lanes.push_back(std::make_unique<Running>(
                "sink " + parts_.lanes[i].name, ends,
                [this, i](const std::stop_token& lane_stop) { return run_lane(i, lane_stop); }));
    std::unique_ptr<Running> copies;
    if (options.only != Only::capture && !options.until_caught_up)
        copies = std::make_unique<Running>(
            "copies", ends, [this](const std::stop_token& own) { return run_copies(own); });
    std::unique_ptr<Running> capture;
    std::unique_ptr<Running> watch;
    if (options.only != Only::deliver) {
        capture = std::make_unique<Running>(
            "source", ends, [this](const std::stop_token& own) { return run_capture(own); });
        watch = std::make_unique<Running>(
            "watch", ends, [this](const std::stop_token& own) { return run_watch(own); });
    }

    bool is_held_up = false;
    while (!stop.stop_requested()) {
        looked_at_ = clock_.steady().count();
        look();
        const auto ended = [](const auto& lane) { return lane->ended(); };
        if (options.only != Only::capture && std::all_of(lanes.begin(), lanes.end(), ended)) break;
        if (capture && capture->ended()) break;
        const bool any_failed = std::any_of(lanes.begin(), lanes.end(), ended);
        if (options.until_caught_up && (any_failed || caught_up(options.only))) break;
        if (options.until_caught_up && options.only != Only::capture && pauses_.any()) {
            is_held_up = true;
            break;
        }
        ends.wait(stop, options.until_caught_up ? catch_up_look_every : parts_.look_every);
    }
    // Capture first: nothing new comes in while the lanes finish their epochs.
    Result<void> outcome;
    if (watch) watch->request_stop();
    if (copies) copies->request_stop();
    if (capture) {
        capture->request_stop();
        outcome = capture->join();
    }
    for (auto& lane : lanes) lane->request_stop();
    for (auto& lane : lanes)
        if (auto result = lane->join(); !result && outcome) outcome = std::move(result);
    if (watch && watch->join() && !outcome) look_last();
    return outcome && is_held_up ? Result<void>(paused_error()) : outcome;
}

// What ended the pipeline may be the slot: the report shall say how it stands.
auto Pipeline::look_last() -> void {
    auto source = parts_.make_source();
    if (source) Watch(*std::move(source), status_, clock_).look({});
}

// Once a second: how full the queue is, and what all of it amounts to.
auto Pipeline::look() -> void {
    const auto now = clock_.steady();
    if (watched_ > Duration::zero() && now - watched_ < watch_every) return;
    watched_ = now;
    watch_queue(now);
    for (std::size_t i = 0; i < letters_.size(); ++i) letters_[i].look(status_, i, now);
    // For the times since when conditions hold; who asks for the status has it judged as of then.
    auto figures = status_.copy_without_counts();
    judge_.with([&](Judge& judge) { judge.judge(figures, clock_.wall_us(), now); });
}

// When the queue will be full, and whether that is worth a warning.
auto Pipeline::watch_queue(Duration now) -> void {
    const auto* bounded = dynamic_cast<const Bounded*>(parts_.queue.get());
    if (bounded == nullptr) return;
    auto room = bounded->room();
    const auto left = forecast_.add(now, room);
    if (forecast_.deserves_warning(now, room, left))
        log(LogLevel::warning,
            "log is at its size limit in about {} min at the present rate: {} of {} MB wait for the "
            "slowest sink; speed it up, pause it or raise queue.max_bytes",
            left->count() / 60, room.held_bytes / 1'000'000, room.bytes_max / 1'000'000);
    QueueStatus status{static_cast<std::int64_t>(room.held_bytes),
                       static_cast<std::int64_t>(room.bytes_max), std::move(room.waits), {}};
    if (left) status.full_in_s = left->count();
    status_.queue(std::move(status));
}

auto Pipeline::caught_up(Only only) -> bool {
    const auto target = target_.copy();
    if (!target || !requests_.empty()) return false;
    const auto state = status_.copy_without_counts();
    const auto generations = parts_.queue->generations();
    const bool is_taking = std::any_of(generations.begin(), generations.end(),
                                       [](const auto& each) { return !each.has_ended; });
    if (only != Only::deliver && is_taking) return false;
    if (only == Only::capture)
        return state.capture.phase == Phase::streaming && state.capture.durable >= *target;
    return std::all_of(state.lanes.begin(), state.lanes.end(), [&](const LaneStatus& lane) {
        const auto has_met = [&](const GenerationState& each) {
            return !is_for(each.sinks, lane.name) ||
                   lane.committed.offsets.change_offset >= each.start.change_offset ||
                   lane.committed.offsets.generation >= each.generation;
        };
        return lane.image_complete && lane.filling.empty() && lane.reached >= *target &&
               std::all_of(generations.begin(), generations.end(), has_met);
    });
}

auto Pipeline::pause(const std::string& sink, bool paused) -> Result<void> {
    bool is_known = sink.empty();
    for (const auto& lane : parts_.lanes) {
        if (!sink.empty() && lane.name != sink) continue;
        is_known = true;
        TRY(pauses_.set(lane.name, paused));
        log(LogLevel::info, "sink {}: {}", lane.name, paused ? "is paused" : "goes on");
    }
    if (is_known) return {};
    return Error{Fault::config, "no such sink: " + sink, "Use the name of a sink of this pipeline.",
                 "", Code::sink_unknown};
}

template <class Ask>
auto Pipeline::ask_sink(const std::string& sink, Ask ask)
    -> std::invoke_result_t<Ask, Queryable&> {
    for (const auto& door : doors_) {
        if (!sink.empty() && door->name != sink) continue;
        const std::shared_lock lock(door->mutex);
        auto* queryable = dynamic_cast<Queryable*>(door->sink);
        if (queryable == nullptr)
            return Error{Fault::retry, "sink cannot be queried now: " + door->name,
                         "Try again once it is open.", "", Code::sink_closed};
        return ask(*queryable);
    }
    return Error{Fault::config, "no such sink: " + sink, "Use the name of a sink of this pipeline.",
                 "", Code::sink_unknown};
}

auto Pipeline::query(const std::string& sink, const std::string& sql, std::size_t rows_max)
    -> Result<QueryResult> {
    return ask_sink(sink, [&](Queryable& queryable) { return queryable.query(sql, rows_max); });
}

auto Pipeline::query_arrow(const std::string& sink, const std::string& sql, std::size_t rows_max)
    -> Result<QueryStream> {
    return ask_sink(sink,
                    [&](Queryable& queryable) { return queryable.query_arrow(sql, rows_max); });
}

}  // namespace leat
