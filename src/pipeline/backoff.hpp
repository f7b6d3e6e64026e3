// Backoff: how long to wait after the n-th failure in a row, and when to call the circuit open.
// Owned by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

#include "base/clock.hpp"

namespace leat {

struct BackoffLimits {
    Duration first = std::chrono::milliseconds(100);
    Duration longest = std::chrono::seconds(30);
    int failures_until_open = 8;  // in a row: then the circuit is open and status says so
};

// Exponential with full jitter between half and the whole step, so that many pipelines that lost
// one server do not come back in step. While the circuit is open the wait is the longest one, and
// a single attempt (half-open) decides whether it closes.
class Backoff {
public:
    Backoff(BackoffLimits limits, std::uint64_t seed) : limits_(limits), random_(seed) {}

    // After a failure: how long to wait before the next attempt.
    auto after_failure() -> Duration {
        ++failures_;
        auto step = limits_.first;
        for (int i = 1; i < failures_ && step < limits_.longest; ++i) step *= 2;
        step = circuit_open() || step > limits_.longest ? limits_.longest : step;
        return step / 2 + Duration(std::uniform_int_distribution<Duration::rep>(
                              0, (step / 2).count())(random_));
    }
    // After real progress (a commit, a durable frame), not merely a successful connect.
    auto after_success() -> void { failures_ = 0; }

    [[nodiscard]] auto circuit_open() const -> bool {
        return failures_ >= limits_.failures_until_open;
    }
    [[nodiscard]] auto failures() const -> int { return failures_; }

private:
    const BackoffLimits limits_;
    std::mt19937_64 random_;
    int failures_ = 0;
};

}  // namespace leat
