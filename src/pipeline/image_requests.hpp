// ImageRequests: what lanes, or a person, want to have read anew from the source. Lanes ask, capture
// takes.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "change/table_name.hpp"

namespace leat {

// `target`: the table that is called so in a target; empty: `tables`, and if there are none all.
struct ImageRequest {
    std::set<std::string> sinks;
    std::set<TableName> tables{};
    std::string target{};
};

// Thread-safe. Not durable: who asked asks again after a start, until the log holds the answer.
class ImageRequests {
public:
    auto add(ImageRequest request) -> void {
        {
            const std::lock_guard lock(mutex_);
            for (auto& waiting : waiting_) {
                if (waiting.tables != request.tables || waiting.target != request.target) continue;
                waiting.sinks.merge(request.sinks);
                return;
            }
            waiting_.push_back(std::move(request));
        }
        changed_.notify_all();
    }
    // The oldest. Nothing: stop was asked for.
    auto take(const std::stop_token& stop) -> std::optional<ImageRequest> {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return !waiting_.empty(); })) return std::nullopt;
        auto request = std::move(waiting_.front());
        waiting_.pop_front();
        return request;
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
