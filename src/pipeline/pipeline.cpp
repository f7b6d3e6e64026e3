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

constexpr Duration look_every = std::chrono::milliseconds(20);
constexpr Duration watch_every = std::chrono::seconds(1);
constexpr Duration alive_within = std::chrono::seconds(10);

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

// One part of the pipeline in a thread of its own; remembers how it ended.
class Pipeline::Running {
public:
    template <class Body>
    Running(std::string name, Body body)
        : name_(std::move(name)), thread_([this, body](const std::stop_token& stop) {
              auto result = body(stop);
              if (!result) log(LogLevel::error, "{} stopped: {}", name_, describe(result.error()));
              result_.with([&](Result<void>& outcome) { outcome = std::move(result); });
              ended_ = true;
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
      status_(parts_.name, names_of(parts_.lanes), clock.wall_us()) {
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
    auto& door = *doors_[index];
    Lane lane(std::move(options), part.make_sink, *parts_.queue, clock_, status_, [&](Sink* sink) {
        const std::unique_lock lock(door.mutex);
        door.sink = sink;
    });
    return lane.run(stop);
}

auto Pipeline::run_capture(const std::stop_token& stop) -> Result<void> {
    auto options = parts_.capture;
    options.seed = seed_of(clock_, 0);
    Capture capture(options, parts_.make_source, *parts_.queue, status_,
                    [&](const Position& head) {
                        target_.with([&](auto& target) { target = head; });
                    });
    return capture.run(stop);
}

auto Pipeline::run_watch(const std::stop_token& stop) -> Result<void> {
    Watch(TRY(parts_.make_source()), status_, clock_).run(stop);
    return {};
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
    status_.takes_part(options.only != Only::deliver, options.only != Only::capture);
    std::vector<std::unique_ptr<Running>> lanes;
    if (options.only != Only::capture)
        for (std::size_t i = 0; i < parts_.lanes.size(); ++i)
            lanes.push_back(std::make_unique<Running>(
                "sink " + parts_.lanes[i].name,
                [this, i](const std::stop_token& lane_stop) { return run_lane(i, lane_stop); }));
    std::unique_ptr<Running> capture;
    std::unique_ptr<Running> watch;
    if (options.only != Only::deliver) {
        capture = std::make_unique<Running>(
            "source", [this](const std::stop_token& own) { return run_capture(own); });
        watch = std::make_unique<Running>(
            "watch", [this](const std::stop_token& own) { return run_watch(own); });
    }

    std::mutex mutex;
    std::condition_variable_any wake;
    while (!stop.stop_requested()) {
        looked_at_ = clock_.steady().count();
        look();
        const auto ended = [](const auto& lane) { return lane->ended(); };
        if (options.only != Only::capture && std::all_of(lanes.begin(), lanes.end(), ended)) break;
        if (capture && capture->ended()) break;
        const bool any_failed = std::any_of(lanes.begin(), lanes.end(), ended);
        if (options.until_caught_up && (any_failed || caught_up(options.only))) break;
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, look_every, [] { return false; });
    }
    // Capture first: nothing new comes in while the lanes finish their epochs.
    Result<void> outcome;
    if (watch) watch->request_stop();
    if (capture) {
        capture->request_stop();
        outcome = capture->join();
    }
    for (auto& lane : lanes) lane->request_stop();
    for (auto& lane : lanes)
        if (auto result = lane->join(); !result && outcome) outcome = std::move(result);
    if (watch && watch->join() && !outcome) look_last();
    return outcome;
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
    static_cast<void>(status());
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

auto Pipeline::caught_up(Only only) const -> bool {
    const auto target = target_.copy();
    if (!target) return false;
    const auto state = status_.copy();
    if (only == Only::capture)
        return state.capture.phase == Phase::streaming && state.capture.durable >= *target;
    return std::all_of(state.lanes.begin(), state.lanes.end(), [&](const LaneStatus& lane) {
        return lane.image_complete && lane.reached >= *target;
    });
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
                         "Try again once it is open.", ""};
        return ask(*queryable);
    }
    return Error{Fault::config, "no such sink: " + sink, "Use the name of a sink of this pipeline.",
                 ""};
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
