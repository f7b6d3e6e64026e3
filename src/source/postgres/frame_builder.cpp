// Sealing rows at commits, and cutting frames.
#include "source/postgres/frame_builder.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace leat::postgres {

FrameBuilder::FrameBuilder(std::uint32_t lineage, std::string token)
    : lineage_(lineage), token_(std::move(token)) {}

auto FrameBuilder::begin() -> void {
    CHECK(!has_open() && waiting_.empty());
    next_ordinal_ = 0;
    part_first_ = 0;
}

auto FrameBuilder::added(TableBuilder& table, std::size_t bytes) -> void {
    constexpr std::size_t row_overhead_bytes = 25;
    if (table.rows() == 1) active_.push_back(&table);
    ++next_ordinal_;
    bytes_ += bytes + row_overhead_bytes;
}

auto FrameBuilder::flush(TableBuilder& table, bool drop_last_row) -> Result<void> {
    std::erase(active_, &table);
    if (table.rows() == 0) return {};
    auto group = TRY(table.finish(drop_last_row));
    if (group.rows > 0) groups_.push_back(std::move(group));
    return {};
}

auto FrameBuilder::gather() -> Result<void> {
    for (auto* table : std::exchange(active_, {})) groups_.push_back(TRY(table->finish(false)));
    return {};
}

auto FrameBuilder::seal_open(const CommitPoint& point) -> void {
    if (!has_open()) return;
    for (auto* table : active_) table->seal(point.commit, point.commit_time_us);
    for (auto& group : groups_)
        if (group.sealed() < group.rows)
            group.seals.push_back({group.rows, point.commit, point.commit_time_us});
    if (!first_) first_ = RowPlace{point.commit, part_first_, point.commit_time_us};
    last_ = RowPlace{point.commit, next_ordinal_ - 1, point.commit_time_us};
    part_first_ = next_ordinal_;
}

auto FrameBuilder::commit(const CommitPoint& point) -> Result<void> {
    if (!waiting_.empty()) {
        const bool more = has_open();
        TRY(release_waiting(point, !more));
        seal_open(point);
        return close();
    }
    seal_open(point);
    return {};
}

auto FrameBuilder::commit_part(const CommitPoint& point) -> Result<void> {
    TRY(release_waiting(point, false));
    if (!has_open()) return {};
    CHECK(!has_whole());
    seal_open(point);
    TRY(gather());
    bytes_ = 0;
    return emit(std::exchange(groups_, {}), *std::exchange(first_, {}), *std::exchange(last_, {}),
                false);
}

auto FrameBuilder::release_waiting(const CommitPoint& point, bool ends) -> Result<void> {
    while (!waiting_.empty()) {
        auto part = std::move(waiting_.front());
        waiting_.pop_front();
        for (auto& group : part.groups)
            group.seals = {{group.rows, point.commit, point.commit_time_us}};
        TRY(emit(std::move(part.groups), {point.commit, part.first, point.commit_time_us},
                 {point.commit, part.last, point.commit_time_us}, ends && waiting_.empty()));
    }
    waiting_bytes_ = 0;
    return {};
}

auto FrameBuilder::set_aside() -> Result<void> {
    TRY(gather());
    Part part;
    std::vector<RowGroup> whole;
    for (auto& group : std::exchange(groups_, {})) {
        if (group.sealed() == group.rows) {
            whole.push_back(std::move(group));
        } else if (group.sealed() == 0) {
            part.groups.push_back(std::move(group));
        } else {
            part.groups.push_back(group.split_unsealed());
            whole.push_back(std::move(group));
        }
    }
    if (has_whole())
        TRY(emit(std::move(whole), *std::exchange(first_, {}), *std::exchange(last_, {}), true));
    if (has_open()) {
        part.first = part_first_;
        part.last = next_ordinal_ - 1;
        part_first_ = next_ordinal_;
        waiting_.push_back(std::move(part));
        waiting_bytes_ += bytes_;
    }
    bytes_ = 0;
    return {};
}

auto FrameBuilder::close() -> Result<void> {
    if (!has_whole()) return {};
    if (has_open()) return set_aside();
    TRY(gather());
    bytes_ = 0;
    return emit(std::exchange(groups_, {}), *std::exchange(first_, {}), *std::exchange(last_, {}),
                true);
}

auto FrameBuilder::emit(std::vector<RowGroup> groups, const RowPlace& first, const RowPlace& last,
                        bool ends) -> Result<void> {
    Frame frame;
    frame.first = {lineage_, first.commit, first.ordinal, token_};
    frame.last = {lineage_, last.commit, last.ordinal, token_};
    frame.ends_transaction = ends;
    frame.commit_time_us = last.commit_time_us;
    for (const auto& group : groups) frame.batches.push_back(TRY(group.to_batch()));
    ready_.push_back(std::move(frame));
    return {};
}

auto FrameBuilder::take() -> std::optional<Frame> {
    if (ready_.empty()) return std::nullopt;
    auto frame = std::move(ready_.front());
    ready_.pop_front();
    return frame;
}

}  // namespace leat::postgres
