// BoundedQueue: the only way work crosses threads. Bounded in bytes; a full queue blocks its
// producer, and that is the backpressure.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/clock.hpp"

namespace leat {

// One producer side and one consumer side, any number of threads on each. An item larger than the
// limit is accepted when the queue is empty, so nothing can be stuck for its size.
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // False when it was closed or stop was asked for before there was room, or the wait ran out
    // (then `item` is left as it was, and the caller may offer it again).
    auto push(T& item, std::size_t bytes, const std::stop_token& stop,
              Duration wait = Duration::max()) -> bool {
        std::unique_lock lock(mutex_);
        const auto room = [&] { return closed_ || items_.empty() || bytes_ + bytes <= bytes_max_; };
        if (!wait_for(not_full_, lock, stop, wait, room) || closed_) return false;
        bytes_ += bytes;
        items_.emplace_back(std::move(item), bytes);
        not_empty_.notify_one();
        return true;
    }

    // Nothing when closed and drained, stopped, or nothing came within `wait`.
    auto pop(const std::stop_token& stop, Duration wait = Duration::max()) -> std::optional<T> {
        std::unique_lock lock(mutex_);
        const auto ready = [&] { return closed_ || !items_.empty(); };
        if (!wait_for(not_empty_, lock, stop, wait, ready) || items_.empty()) return std::nullopt;
        auto [item, bytes] = std::move(items_.front());
        items_.pop_front();
        bytes_ -= bytes;
        not_full_.notify_one();
        return std::move(item);
    }

    // After close() no push succeeds; pop still drains what is there.
    auto close() -> void {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        not_full_.notify_all();
        not_empty_.notify_all();
    }

    [[nodiscard]] auto closed_and_empty() const -> bool {
        const std::lock_guard lock(mutex_);
        return closed_ && items_.empty();
    }
    [[nodiscard]] auto bytes() const -> std::size_t {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }

private:
    template <class Ready>
    static auto wait_for(std::condition_variable_any& condition, std::unique_lock<std::mutex>& lock,
                         const std::stop_token& stop, Duration wait, Ready ready) -> bool {
        if (wait == Duration::max()) return condition.wait(lock, stop, ready);
        return condition.wait_for(lock, stop, wait, ready);
    }

    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::condition_variable_any not_full_;
    std::condition_variable_any not_empty_;
    std::deque<std::pair<T, std::size_t>> items_;
    std::size_t bytes_ = 0;
    bool closed_ = false;
};

}  // namespace leat
