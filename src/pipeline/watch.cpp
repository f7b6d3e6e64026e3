// The loop of looks; see watch.hpp.
#include "pipeline/watch.hpp"

#include <condition_variable>
#include <mutex>

namespace leat {

namespace {

constexpr Duration look_every = std::chrono::seconds(2);

}  // namespace

Watch::Watch(std::unique_ptr<Source> source, Status& status, const Clock& clock)
    : source_(std::move(source)),
      watchable_(dynamic_cast<Watchable*>(source_.get())),
      status_(status),
      clock_(clock) {
    status_.capture(
        [&](CaptureStatus& capture) { capture.watch.is_kept = watchable_ != nullptr; });
}

auto Watch::look(const std::stop_token& stop) -> void {
    if (watchable_ == nullptr) return;
    std::optional<Position> durable;
    status_.capture([&](CaptureStatus& capture) {
        if (capture.durable.lineage > 0) durable = capture.durable;
        capture.watch.asked = clock_.steady();
    });
    auto answer = watchable_->watch(durable, stop);
    if (!answer && stop.stop_requested()) return;
    status_.capture([&](CaptureStatus& capture) {
        capture.watch.answered = clock_.steady();
        capture.watch.error = answer ? std::nullopt : std::optional(answer.error());
        if (answer) capture.watch.vitals = *std::move(answer);
    });
}

auto Watch::run(const std::stop_token& stop) -> void {
    if (watchable_ == nullptr) return;
    std::mutex mutex;
    std::condition_variable_any wake;
    while (!stop.stop_requested()) {
        look(stop);
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, look_every, [] { return false; });
    }
}

}  // namespace leat
