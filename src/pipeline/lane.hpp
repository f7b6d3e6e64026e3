// Lane: carries what the queue holds into one sink, epoch by epoch. One thread, its own cursor, its
// own failures: nothing here waits for another lane.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "pipeline/backoff.hpp"
#include "pipeline/epoch.hpp"
#include "pipeline/image_requests.hpp"
#include "pipeline/shaper.hpp"
#include "pipeline/status.hpp"
#include "queue/queue.hpp"
#include "sink/sink.hpp"

namespace leat {

// Anew for every attempt, as the sink. None: rows go on as they are.
using ShaperMaker = std::function<Result<std::unique_ptr<Shaper>>()>;
using SinkMaker = std::function<Result<std::unique_ptr<Sink>>()>;

struct LaneOptions {
    std::size_t index = 0;          // in Status
    Identity identity;
    ShaperMaker make_shaper;
    EpochLimits epoch;
    BackoffLimits backoff;
    std::uint64_t seed = 1;
    ImageRequests* requests = nullptr;  // where images are asked for; null: nobody reads the source
};

// `offer`: told of the open sink while there is one (and of nullptr before it goes), so that
// queries can reach it. Called from the lane's thread.
using SinkOffer = std::function<void(Sink*)>;

class Lane {
public:
    Lane(LaneOptions options, SinkMaker make_sink, Queue& queue, const Clock& clock,
         Status& status, SinkOffer offer);

    // Runs until stop is asked for (then the finished part is committed and settled) or the policy
    // ends the lane; that error is also in the status.
    auto run(const std::stop_token& stop) -> Result<void>;

private:
    friend class LaneAttempt;

    auto wait_after(const Error& error, const std::stop_token& stop) -> bool;

    const LaneOptions options_;
    const SinkMaker make_sink_;
    Queue& queue_;
    const Clock& clock_;
    Status& status_;
    const SinkOffer offer_;
    Backoff backoff_;
};

}  // namespace leat
