// ImageAppender: one worker's frames of an image on their way into the queue. The next is read
// while the one before it is written and synced, which takes about as long.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.hpp"
#include "change/frame.hpp"

namespace leat {

// Of one thread, beside its own, which calls `append`.
class ImageAppender {
public:
    using Append = std::function<Result<void>(const Frame&)>;
    explicit ImageAppender(Append append);

    // Waits while there is another that has not begun. The error is of an earlier frame; nothing is
    // appended behind that.
    auto put(Frame frame) -> Result<void>;
    // All that was put has been appended.
    auto flush() -> Result<void>;

private:
    auto run(const std::stop_token& stop) -> void;

    const Append append_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Frame> next_;
    bool is_appending_ = false;
    Result<void> outcome_;
    std::jthread thread_;
};

}  // namespace leat
