// Pipeline: one source, one queue, any number of lanes, run together until the work is done, stop
// is asked for, or nothing is left that could work.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <type_traits>
#include <vector>

#include "pipeline/capture.hpp"
#include "pipeline/forecast.hpp"
#include "pipeline/health.hpp"
#include "pipeline/lane.hpp"
#include "pipeline/letter_count.hpp"
#include "pipeline/pauses.hpp"

namespace leat {

struct LanePart {
    std::string name;
    ShaperMaker make_shaper;
    SinkMaker make_sink;
    std::filesystem::path letters{};  // where its dead letters are, if there are any
};

// What the registry made of a pipeline file.
struct PipelineParts {
    std::string name;
    std::unique_ptr<Queue> queue;
    SourceMaker make_source;
    std::vector<LanePart> lanes;
    CaptureOptions capture;
    EpochLimits epoch;
    BackoffLimits backoff;  // of every lane; capture has its own
    std::vector<ImageRequest> rebuilds{};  // what a person wants to be filled anew
    std::filesystem::path pauses{};  // folder that says which sinks are paused
    Duration look_every = std::chrono::seconds(1);  // real time, between two looks at the whole
};

enum class Only { nothing_left_out, capture, deliver };

struct RunOptions {
    // End once every change that was committed at the source when the run started is committed in
    // every sink, snapshots included.
    bool until_caught_up = false;
    Only only = Only::nothing_left_out;
};

class Pipeline {
public:
    Pipeline(PipelineParts parts, const Clock& clock);

    // Blocks. No error: stopped or caught up. Otherwise the first error that the policy could not
    // answer; the other lanes went on as long as there was something for them to do.
    auto run(const RunOptions& options, const std::stop_token& stop) -> Result<void>;

    // Judged as of now. Any thread.
    [[nodiscard]] auto status() const -> PipelineStatus;
    // Whether run() goes round: false long after its last look, or before it and after its end.
    [[nodiscard]] auto is_alive() const -> bool;

    // Read-only SQL over one sink's committed rows; `sink` empty: the first. Any thread.
    auto query(const std::string& sink, const std::string& sql, std::size_t rows_max)
        -> Result<QueryResult>;
    auto query_arrow(const std::string& sink, const std::string& sql, std::size_t rows_max)
        -> Result<QueryStream>;

    // Puts sinks to rest or lets them go on; `sink` empty: all. A sink that rests finishes its epoch
    // and closes its target; capture goes on, and the log keeps what the sink will need. Durable.
    auto pause(const std::string& sink, bool paused) -> Result<void>;

private:
    struct Door {
        std::string name;
        std::shared_mutex mutex;  // shared: a query runs; unique: the sink comes or goes
        Sink* sink = nullptr;
        std::stop_source closing;     // asked before the sink goes: whoever is inside hurries
        std::optional<std::int64_t> copied;  // commits that the newest copy shows; of the copying thread
        std::optional<Duration> copied_at;
    };
    class Ends;
    class Running;

    // Calls `ask(queryable)` while the sink cannot go.
    template <class Ask>
    auto ask_sink(const std::string& sink, Ask ask) -> std::invoke_result_t<Ask, Queryable&>;
    auto run_lane(std::size_t index, const std::stop_token& stop) -> Result<void>;
    auto run_capture(const std::stop_token& stop) -> Result<void>;
    auto run_watch(const std::stop_token& stop) -> Result<void>;
    auto run_copies(const std::stop_token& stop) -> Result<void>;
    auto copy_if_due(std::size_t index, const std::stop_token& stop) -> void;
    auto caught_up(Only only) -> bool;
    auto look() -> void;
    auto look_last() -> void;
    auto watch_queue(Duration now) -> void;

    PipelineParts parts_;
    const Clock& clock_;
    Status status_;
    std::vector<std::unique_ptr<Door>> doors_;
    Guarded<std::optional<Position>> target_;
    ImageRequests requests_;
    bool has_capture_ = true;
    Pauses pauses_;
    Forecast forecast_;
    Duration watched_{};
    std::vector<LetterCount> letters_;  // of every lane
    mutable Guarded<Judge> judge_;  // of every look at the status
    std::atomic<Duration::rep> looked_at_{0};
};

}  // namespace leat
