// ImageRequests: what lanes, or a person, want to have read anew from the source. Lanes ask, capture
// takes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "change/table_name.hpp"

namespace leat {

// `target`: the table that is called so in a target; empty: `tables`, and if there are none all.
// `behind`: where the one who asks is in the change sequence: an image that begins there or further on
// will do; none: only one that is taken for this.
struct ImageRequest {
    std::set<std::string> sinks;
    std::set<TableName> tables{};
    std::string target{};
    std::optional<std::uint64_t> behind{};

    friend auto operator==(const ImageRequest&, const ImageRequest&) -> bool = default;
};

// Thread-safe. Not durable: who asked asks again after a start, until the log holds the answer.
class ImageRequests {
public:
    auto add(ImageRequest request) -> void {
        {
            const std::lock_guard lock(mutex_);
            for (auto& waiting : waiting_)
                if (waiting == request) return;
            waiting_.push_back(std::move(request));
        }
        changed_.notify_all();
    }
    // The oldest, which stays until it is answered(). Nothing: stop was asked for.
    auto oldest(const std::stop_token& stop) -> std::optional<ImageRequest> {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return std::nullopt;
        return waiting_.front();
    }
    auto answered() -> void {
        const std::lock_guard lock(mutex_);
        waiting_.pop_front();
    }
    [[nodiscard]] auto empty() const -> bool {
        const std::lock_guard lock(mutex_);
        return waiting_.empty();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<ImageRequest> waiting_;
};

}  // namespace leat
