// Markers: what goes into the change sequence between two transactions. Given by the thread that
// takes images, appended by the one that appends changes, which alone knows where a transaction ends.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/bounded_queue.hpp"
#include "base/result.hpp"
#include "change/frame.hpp"
#include "queue/queue.hpp"

namespace leat {

// Thread-safe. `frames`: what the appender waits for; a frame without a marker of its own in it, of
// that kind, tells it that one is waiting here.
class Markers {
public:
    explicit Markers(BoundedQueue<Frame>& frames) : frames_(frames) {}

    // Returns once the marker is durable.
    auto append(Frame marker, const std::stop_token& stop) -> Result<void> {
        {
            const std::lock_guard lock(mutex_);
            waiting_ = std::move(marker);
        }
        Frame nudge;
        nudge.kind = FrameKind::marker;
        frames_.push(nudge, 0, stop);
        std::unique_lock lock(mutex_);
        if (changed_.wait(lock, stop, [&] { return !waiting_; })) return {};
        return Error{Fault::retry, "stopped", "", "marker"};
    }
    // For the appender, whenever no transaction is open.
    auto flush(Queue& queue, const std::stop_token& stop) -> Result<void> {
        const std::lock_guard lock(mutex_);
        if (!waiting_) return {};
        TRY(queue.append(*waiting_, stop));
        waiting_.reset();
        changed_.notify_all();
        return {};
    }

private:
    BoundedQueue<Frame>& frames_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Frame> waiting_;
};

}  // namespace leat
