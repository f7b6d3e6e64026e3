// Forecast: when a queue that fills will be full, from how it filled in the last minute. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"
#include "queue/queue.hpp"

namespace leat {

class Forecast {
public:
    // About once a second. Nothing: it does not grow, or too little was seen yet.
    auto add(Duration now, const QueueRoom& room) -> std::optional<std::chrono::seconds>;

    // Whether the forecast deserves a warning now: near enough to matter, more than a tenth used,
    // and not said again within ten minutes unless the queue has been better meanwhile.
    auto deserves_warning(Duration now, const QueueRoom& room,
                          const std::optional<std::chrono::seconds>& left) -> bool;

private:
    struct Sample {
        Duration at;
        std::uint64_t held_bytes;
    };
    std::deque<Sample> samples_;
    std::optional<Duration> warned_;
};

}  // namespace leat
