// Lane: the loop around its attempts, which asks the policy what a failure means.
#include "pipeline/lane.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "observe/log.hpp"
#include "pipeline/lane_attempt.hpp"
#include "pipeline/policy.hpp"

namespace leat {

Lane::Lane(LaneOptions options, SinkMaker make_sink, Queue& queue, const Clock& clock,
           Status& status, SinkOffer offer)
    : options_(std::move(options)),
      make_sink_(std::move(make_sink)),
      queue_(queue),
      clock_(clock),
      status_(status),
      offer_(std::move(offer)),
      backoff_(options_.backoff, options_.seed) {}

auto Lane::run(const std::stop_token& stop) -> Result<void> {
    while (true) {
        auto result = [&]() -> Result<void> {
            // Whether its target can be reached or not.
            if (const auto* bounded = dynamic_cast<const Bounded*>(&queue_))
                TRY(bounded->still_serves(options_.identity.lane));
            const auto sink = TRY(make_sink_());
            const auto shaper =
                TRY(options_.make_shaper ? options_.make_shaper() : Shaper::make({}));
            LaneAttempt attempt(*this, *sink, *shaper);
            offer_(sink.get());
            auto outcome = attempt.run(stop);
            offer_(nullptr);
            return outcome;
        }();
        if (result || stop.stop_requested()) {
            status_.lane(options_.index, [](LaneStatus& status) { status.phase = Phase::stopped; });
            // What the last commit met when stop came is made up for at the next start, unless a
            // person must look.
            if (result || answer_to(result.error().fault) == Action::stop) return result;
            log(LogLevel::warning, "sink {}: {}", options_.identity.lane, describe(result.error()));
            return {};
        }
        if (!wait_after(result.error(), stop)) return result;
    }
}

// False: the policy ends the lane.
auto Lane::wait_after(const Error& error, const std::stop_token& stop) -> bool {
    const auto action = answer_to(error.fault);
    const auto pause = backoff_.after_failure();
    status_.lane(options_.index, [&](LaneStatus& status) {
        note_failure(status, error, action == Action::stop);
        ++status.errors[error.code];
        status.message = describe(error);
        status.failures_in_a_row = backoff_.failures();
        status.circuit_open = backoff_.circuit_open();
    });
    if (action == Action::stop) return false;
    log(LogLevel::warning, "sink {}: {}", options_.identity.lane, describe(error));
    if (action == Action::back_off || backoff_.circuit_open()) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait_for(lock, stop, pause, [] { return false; });
    }
    return true;
}

}  // namespace leat
