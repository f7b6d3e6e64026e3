// The record is what a source and its sinks would know of the log after a
// crash. One line each, written before (try, release) or after (proof, sink) the call:
//   life N | preparer TID | try I | proof I | resumed I | sink LANE COMMIT PROGRESS |
//   release LANE CHANGE_OFFSET [SNAPSHOT_OFFSET] | waits FAULT WHAT | error FAULT WHAT | done
#include "writer.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "queue/log/lane_fixture.hpp"
#include "script.hpp"

namespace leat::log_queue {

namespace {

using namespace fixture;

auto threads() -> std::set<std::string> {
    std::set<std::string> list;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
        list.insert(entry.path().filename().string());
    return list;
}

auto traced(const std::string& thread) -> bool {
    std::ifstream status("/proc/self/task/" + thread + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("TracerPid:"))
            return line.substr(10).find_first_not_of("\t 0") != std::string::npos;
    return false;
}

class Writer {
public:
    explicit Writer(const WriterOptions& options) : options_(options) {}

    auto run() -> Result<void> {
        TRY(open());
        const auto script = make_script();
        for (std::size_t i = 0; i < script.size(); ++i) TRY(take(i, script[i]));
        log_.reset();
        return {};
    }

private:
    // A full disk passes: the engine tries again then, and so does this.
    auto open() -> Result<void> {
        log_.reset();
        say("life " + std::to_string(++life_));
        const bool attaching = life_ == options_.attach_life;
        const auto before = attaching ? threads() : std::set<std::string>();
        for (int attempt = 0;; ++attempt) {
            Surroundings surroundings;
            surroundings.disk = options_.disk;
            auto made =
                LogQueue::make(sweep_config(options_.folder), sweep_context(clock_), surroundings);
            if (made) {
                log_ = std::move(made).value();
                break;
            }
            if (made.error().fault != Fault::retry || attempt == 3) return made.error();
            say("waits retry " + made.error().what);
        }
        if (attaching) wait_for_tracer(before);
        TRY(log_->resume_point());
        return {};
    }

    auto say(const std::string& line) -> void { options_.say(line); }

    auto wait_for_tracer(const std::set<std::string>& before) -> void {
        std::string preparer;
        for (const auto& thread : threads())
            if (!before.contains(thread)) preparer = thread;
        say("preparer " + preparer);
        while (!traced(preparer)) std::this_thread::yield();
    }

    auto take(std::size_t index, const Step& step) -> Result<void> {
        const auto number = std::to_string(index);
        switch (step.what) {
            case Do::append: {
                say("try " + number);
                const auto durable = TRY(log_->append(step.frame, {}));
                if (step.frame.kind == FrameKind::changes && step.frame.ends_transaction &&
                    durable.position() < step.frame.last)
                    return Error{Fault::fatal, "proof of something older", "", number};
                say("proof " + number);
                return {};
            }
            case Do::resume: {
                // As the engine answers passing trouble: once more.
                if (const auto first = log_->resume_point(); !first) {
                    if (first.error().fault != Fault::retry) return first.error();
                    say("waits retry " + first.error().what);
                    TRY(log_->resume_point());
                }
                say("resumed " + number);
                return {};
            }
            case Do::deliver: {
                auto result = deliver(step.lane);
                if (result || result.error().fault != Fault::retry) return result;
                say("waits retry " + result.error().what);
                return deliver(step.lane);
            }
            case Do::reopen: return open();
            case Do::tick: clock_.advance(std::chrono::seconds(2)); return {};
        }
        return {};
    }

    // A sink that remembers in the record how far it is.
    auto deliver(const std::string& lane) -> Result<void> {
        auto& sink = sinks_.try_emplace(lane, lane, rebuild_frames).first->second;
        TRY(sink.follow(*log_));
        if (sink.seen() == 0) return {};
        Progress progress;
        progress.offsets = *sink.offsets();
        say("sink " + lane + " " + std::to_string(sink.seen()) + " " + encode(progress));
        auto asks_for = progress.offsets.change_offset;
        std::optional<std::uint64_t> image;
        const auto add = [&](const Place& place) {
            asks_for = std::min(asks_for, place.change_offset);
            if (!place.image_complete)
                image = std::min(image.value_or(place.snapshot_offset), place.snapshot_offset);
        };
        add(progress.offsets);
        for (const auto& rebuild : progress.offsets.rebuilds) add(rebuild);
        say("release " + lane + " " + std::to_string(asks_for) +
            (image ? " " + std::to_string(*image) : ""));
        return log_->release(lane, progress.offsets);
    }

    const WriterOptions options_;
    ManualClock clock_;
    std::unique_ptr<LogQueue> log_;
    std::map<std::string, CheckedLane> sinks_;
    int life_ = 0;
};

}  // namespace

auto sweep_config(const std::filesystem::path& folder) -> LogConfig {
    LogConfig config;
    config.path = folder;
    config.segment_bytes.count = 64 << 10;
    config.max_bytes.count = 64 << 20;
    config.rewind_bytes.count = 0;
    config.rewind_time = Duration::zero();
    return config;
}

auto sweep_context(const Clock& clock) -> QueueContext {
    return {"shop", {"duckdb", "slow"}, &clock};
}

auto write_script(const WriterOptions& options) -> int {
    Writer writer(options);
    const auto result = writer.run();
    if (!result) {
        static constexpr const char* names[] = {"retry", "uncertain", "poison", "config", "fatal"};
        options.say(std::string("error ") + names[static_cast<int>(result.error().fault)] + " " +
            result.error().what);
        return 3;
    }
    options.say("done");
    return 0;
}

}  // namespace leat::log_queue
