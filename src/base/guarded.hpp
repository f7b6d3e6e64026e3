// Guarded<T>: a value that can only be touched under its own mutex.
#pragma once

#include <mutex>
#include <utility>

namespace leat {

template <class T>
class Guarded {
public:
    Guarded() = default;
    explicit Guarded(T value) : value_(std::move(value)) {}

    // Runs `use(value)` under the lock and returns what it returns. Never call back into the same
    // Guarded from inside.
    template <class Use>
    auto with(Use&& use) -> decltype(auto) {
        const std::lock_guard lock(mutex_);
        return std::forward<Use>(use)(value_);
    }
    template <class Use>
    auto with(Use&& use) const -> decltype(auto) {
        const std::lock_guard lock(mutex_);
        return std::forward<Use>(use)(value_);
    }
    [[nodiscard]] auto copy() const -> T {
        const std::lock_guard lock(mutex_);
        return value_;
    }

private:
    mutable std::mutex mutex_;
    T value_{};
};

}  // namespace leat
