// What scenario tests share: a log in a folder of its own, and waiting for a state instead of time.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/pipeline.hpp"
#include "queue/log/log_queue.hpp"
#include "scenario/fault_decorators.hpp"
#include "scenario/memory_sink.hpp"
#include "scenario/scripted_source.hpp"

namespace leat::scenario {

constexpr std::chrono::seconds patience(60);

// True once `state` is reached, false when patience ran out.
inline auto wait_until(const std::function<bool()>& state) -> bool {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!state()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

inline auto no_faults(Step /*step*/) -> std::optional<Failure> {
    return std::nullopt;
}

class Scenario : public ::testing::Test {
protected:
    Scenario() {
        std::string name = (std::filesystem::temp_directory_path() / "leat-scene-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~Scenario() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    // Each call opens the same log anew, as a new process would.
    auto open_queue(std::vector<std::string> lanes = {"a", "b"}) -> std::unique_ptr<Queue> {
        log_queue::LogConfig config;
        config.path = folder_ / "log";
        config.segment_bytes = config::Bytes::mib(1);
        if (keeps_nothing_) config.rewind_time = Duration::zero();
        auto made = log_queue::LogQueue::make(config, {"shop", std::move(lanes), &clock_});
        if (!made) ADD_FAILURE() << made.error().what;
        return std::move(made).value();
    }

    auto parts(std::unique_ptr<Queue> queue, ScriptedServer& server) -> PipelineParts {
        PipelineParts parts;
        parts.name = "shop";
        parts.queue = std::move(queue);
        parts.make_source = [&server]() -> Result<std::unique_ptr<Source>> {
            return server.make_source();
        };
        parts.capture.backoff = quick();
        parts.backoff = quick();
        parts.look_every = std::chrono::milliseconds(5);
        return parts;
    }
    static auto lane(std::string name, SinkMaker make_sink) -> LanePart {
        LanePart lane;
        lane.name = std::move(name);
        lane.make_sink = std::move(make_sink);
        return lane;
    }
    static auto maker(MemoryTarget& target) -> SinkMaker {
        return [&target]() -> Result<std::unique_ptr<Sink>> { return target.make_sink(); };
    }

    static auto quick() -> BackoffLimits {
        return {std::chrono::milliseconds(1), std::chrono::milliseconds(8), 4};
    }

    bool keeps_nothing_ = false;  // the log drops what every lane has released
    std::filesystem::path folder_;
    SystemClock clock_;
};

// A pipeline in a thread of its own; stopped and joined at the end.
class RunningPipeline {
public:
    RunningPipeline(PipelineParts parts, const Clock& clock, RunOptions options = {})
        : pipeline_(std::move(parts), clock), thread_([this, options](const std::stop_token& stop) {
              result_ = pipeline_.run(options, stop);
          }) {}

    auto status() const -> PipelineStatus { return pipeline_.status(); }
    auto lane(std::size_t index) const -> LaneStatus { return pipeline_.status().lanes.at(index); }
    auto stop() -> Result<void> {
        thread_.request_stop();
        return join();
    }
    auto join() -> Result<void> {
        thread_.join();
        return result_;
    }

private:
    Pipeline pipeline_;
    Result<void> result_;
    std::jthread thread_;
};

}  // namespace leat::scenario
