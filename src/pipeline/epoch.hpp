// Epoch: decides when a lane commits. Pure arithmetic over times that are handed in; owned by the
// lane's thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace leat {

// `pause_factor`: a lane that has caught up commits at once, but no sooner after the last commit
// than this multiple of what that commit cost, so that at most 1 / (1 + factor) of the target's
// time goes into commits; and no sooner than `pause_min`, because below it nobody sees a difference
// that is worth the fixed cost of a commit. After an epoch of `busy_rows` or more, when many rows
// flow and fewer, larger commits are worth more than the last milliseconds, it waits for
// `busy_pause_factor` of the cost, as long as that is no more than `busy_pause_max`.
struct EpochLimits {
    std::int64_t rows_max = 250'000;
    std::int64_t bytes_max = 64LL << 20;
    Duration age_max = std::chrono::seconds(2);
    double pause_factor = 1.0;
    Duration pause_min = std::chrono::milliseconds(20);
    double busy_pause_factor = 4.0;
    Duration busy_pause_max = std::chrono::milliseconds(500);
    std::int64_t busy_rows = 2'000;
};

class Epoch {
public:
    explicit Epoch(EpochLimits limits) : limits_(limits) {}

    auto add(std::int64_t rows, std::int64_t bytes, Duration now) -> void {
        if (empty_) opened_ = now;
        empty_ = false;
        rows_ += rows;
        bytes_ += bytes;
    }

    // Whether to commit now, given that the epoch stands at the end of a source transaction and
    // whether nothing more is waiting to be read.
    [[nodiscard]] auto due(Duration now, bool caught_up) const -> bool {
        if (empty_) return false;
        if (rows_ >= limits_.rows_max || bytes_ >= limits_.bytes_max) return true;
        if (now - opened_ >= limits_.age_max) return true;
        return caught_up && now >= earliest_;
    }

    // How long a caught-up lane may wait for more before the epoch is due.
    [[nodiscard]] auto wait(Duration now) const -> Duration {
        return std::max(Duration::zero(), std::min(earliest_, opened_ + limits_.age_max) - now);
    }

    auto committed(Duration started, Duration ended) -> void {
        const auto cost = std::chrono::duration<double, std::nano>(ended - started);
        const auto times = [&](double factor) {
            return std::chrono::duration_cast<Duration>(cost * factor);
        };
        auto pause = std::max(times(limits_.pause_factor), limits_.pause_min);
        if (rows_ >= limits_.busy_rows)
            pause =
                std::max(pause, std::min(times(limits_.busy_pause_factor), limits_.busy_pause_max));
        earliest_ = ended + pause;
        empty_ = true;
        rows_ = bytes_ = 0;
    }

    [[nodiscard]] auto empty() const -> bool { return empty_; }
    [[nodiscard]] auto rows() const -> std::int64_t { return rows_; }

private:
    EpochLimits limits_;
    bool empty_ = true;
    std::int64_t rows_ = 0;
    std::int64_t bytes_ = 0;
    Duration opened_{};
    Duration earliest_{};
};

}  // namespace leat
