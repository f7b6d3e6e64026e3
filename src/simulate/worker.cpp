// Draws what is due, carries it out, waits; see worker.hpp.
#include "simulate/worker.hpp"

#include <algorithm>
#include <condition_variable>
#include <limits>
#include <mutex>

namespace leat::simulate {

namespace {

constexpr std::int64_t changes_at_once = 500;

// Returns early when it is stopped.
auto wait_for(Duration time, const std::stop_token& stop) -> void {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

auto share_of(const Pace& pace, std::int64_t worker, std::int64_t workers) -> Pace {
    auto share = pace;
    share.rate /= static_cast<double>(workers);
    if (pace.events)
        share.events = *pace.events / workers + (worker < *pace.events % workers ? 1 : 0);
    return share;
}

auto Worker::run(const std::stop_token& stop, const std::function<void(const Counts&)>& tell)
    -> Result<void> {
    began_ = clock_.steady();
    for (auto now = began_; !stop.stop_requested() && !is_over(now); now = clock_.steady()) {
        const auto transactions = due(now);
        Counts counts;
        const auto applied = writer_.apply(transactions, counts);
        for (const auto& transaction : transactions) {
            counts.events += transaction.counted();
            counts.undone += transaction.counted() - transaction.kept();
        }
        events_ += counts.events;
        tell(counts);
        if (!applied) return applied;
        keep_pace(stop);
    }
    return {};
}

auto Worker::is_over(Duration now) const -> bool {
    return (pace_.events && events_ >= *pace_.events) ||
           (pace_.duration && now - began_ >= *pace_.duration);
}

// Those that should be made by now, at least one and not too many at once.
auto Worker::due(Duration now) const -> std::vector<Transaction> {
    auto left = pace_.events ? *pace_.events - events_ : std::numeric_limits<std::int64_t>::max();
    const auto seconds = std::chrono::duration<double>(now - began_).count();
    const auto behind = pace_.rate > 0 ? static_cast<std::int64_t>(seconds * pace_.rate) - events_
                                       : changes_at_once;
    std::vector<Transaction> made;
    auto wanted = std::min(behind, changes_at_once);
    do {
        made.push_back(changes_.next(left));
        const auto count = static_cast<std::int64_t>(made.back().changes.size());
        left -= count;
        wanted -= count;
    } while (wanted > 0 && left > 0);
    return made;
}

// Waits until the next transaction is due. One that is late is followed by the next at once, so the
// rate holds over time.
auto Worker::keep_pace(const std::stop_token& stop) const -> void {
    if (pace_.rate <= 0) return;
    auto due = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(static_cast<double>(events_) / pace_.rate));
    if (pace_.duration) due = std::min(due, *pace_.duration);
    const auto spent = clock_.steady() - began_;
    if (due > spent) wait_for(due - spent, stop);
}

}  // namespace leat::simulate
