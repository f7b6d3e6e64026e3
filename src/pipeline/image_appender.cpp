// The thread between a worker and the queue.
#include "pipeline/image_appender.hpp"

#include <utility>

namespace leat {

ImageAppender::ImageAppender(Append append)
    : append_(std::move(append)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

auto ImageAppender::put(Frame frame) -> Result<void> {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !next_ || !outcome_; });
    if (!outcome_) return outcome_;
    next_ = std::move(frame);
    changed_.notify_all();
    return {};
}

auto ImageAppender::flush() -> Result<void> {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return (!next_ && !is_appending_) || !outcome_; });
    return outcome_;
}

auto ImageAppender::run(const std::stop_token& stop) -> void {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return next_.has_value(); })) {
        const auto frame = *std::exchange(next_, std::nullopt);
        is_appending_ = true;
        changed_.notify_all();
        lock.unlock();
        auto appended = append_(frame);
        lock.lock();
        is_appending_ = false;
        if (!appended) {
            outcome_ = std::move(appended);
            changed_.notify_all();
            return;
        }
        changed_.notify_all();
    }
}

}  // namespace leat
