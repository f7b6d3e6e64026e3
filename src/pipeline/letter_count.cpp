// When to count; see letter_count.hpp.
#include "pipeline/letter_count.hpp"

#include "dead_letter/letter_box.hpp"

namespace leat {

namespace {

constexpr Duration count_every = std::chrono::seconds(10);

auto set_aside(const LaneStatus& lane) -> std::int64_t {
    std::int64_t rows = 0;
    for (const auto& [table, flow] : lane.flows)
        for (const auto& [reason, count] : flow.dead_letters) rows += count;
    return rows;
}

}  // namespace

auto LetterCount::look(Status& status, std::size_t lane, Duration now) -> void {
    std::int64_t newest = 0;
    status.lane(lane, [&](const LaneStatus& state) { newest = set_aside(state); });
    const bool is_due = !counted_ || newest != set_aside_ ||
                        (has_any_ && now - *counted_ >= count_every);
    if (!is_due) return;
    // Not now (the lane is writing it): the next look will tell.
    auto open = count_open_letters(file_);
    if (!open) return;
    counted_ = now;
    set_aside_ = newest;
    has_any_ = !open->by_target.empty();
    status.lane(lane, [&](LaneStatus& state) {
        state.open_letters = std::move(open->by_target);
        state.open_letters_by_reason = std::move(open->by_reason);
        state.oldest_letter_us = open->oldest_us;
    });
}

}  // namespace leat
