// Time as a parameter: every component that waits or stamps gets a Clock, so that tests own time.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace leat {

using Duration = std::chrono::nanoseconds;

// Thread-safe. `steady` never goes back and is used for waiting and rates; `wall_us` is
// microseconds since 1970-01-01 UTC, for people only: nothing is ordered by it.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual auto steady() const -> Duration = 0;
    [[nodiscard]] virtual auto wall_us() const -> std::int64_t = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] auto steady() const -> Duration override {
        return std::chrono::steady_clock::now().time_since_epoch();
    }
    [[nodiscard]] auto wall_us() const -> std::int64_t override {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
};

// For tests: stands still until it is advanced.
class ManualClock final : public Clock {
public:
    [[nodiscard]] auto steady() const -> Duration override {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    [[nodiscard]] auto wall_us() const -> std::int64_t override {
        return std::chrono::duration_cast<std::chrono::microseconds>(steady()).count();
    }
    auto advance(Duration by) -> void {
        const std::lock_guard lock(mutex_);
        now_ += by;
    }

private:
    mutable std::mutex mutex_;
    Duration now_{};
};

}  // namespace leat
