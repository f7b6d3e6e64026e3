// Cutting frames at transactions.
#include "source/mongodb/frame_builder.hpp"

#include <arrow/record_batch.h>

#include <algorithm>

#include "base/check.hpp"

namespace leat::mongodb {

namespace {

constexpr std::size_t row_overhead_bytes = 25;

// Cuts the batches behind `rows` off.
auto split(std::vector<Batch>& batches, std::int64_t rows) -> std::vector<Batch> {
    std::vector<Batch> rest;
    std::vector<Batch> front;
    for (auto& batch : batches) {
        const auto here = batch.rows->num_rows();
        if (rows >= here) {
            rows -= here;
            front.push_back(std::move(batch));
            continue;
        }
        if (rows > 0) front.push_back({batch.schema, batch.rows->Slice(0, rows)});
        rest.push_back(rows > 0 ? slice(batch, rows) : std::move(batch));
        rows = 0;
    }
    batches = std::move(front);
    return rest;
}

auto append(std::vector<Batch> from, std::vector<Batch>& to) -> void {
    for (auto& batch : from) to.push_back(std::move(batch));
}

}  // namespace

FrameBuilder::FrameBuilder(FrameOptions options, ShapeBook& book, RowRules rules)
    : options_(std::move(options)), book_(book), rules_(std::move(rules)) {}

auto FrameBuilder::goes_on_from(const Position& position) -> void {
    commit_ = position.commit;
    ordinal_ = position.ordinal + 1;
}

auto FrameBuilder::begin(std::uint64_t commit, std::int64_t time_us, bool is_shared)
    -> Result<void> {
    if (is_open_ && commit != commit_) end_transaction();
    if (!is_open_ && bytes_ >= options_.frame_bytes) TRY(close());
    if (commit != commit_) ordinal_ = 0;
    commit_ = commit;
    time_us_ = time_us;
    if (is_shared && !is_open_) {
        keep_token();
        whole_token_ = token_;
        rows_before_open_.clear();
        for (auto* const builder : active_) rows_before_open_[builder] = builder->rows();
    }
    is_open_ = is_open_ || is_shared;
    return {};
}

auto FrameBuilder::builder_of(const TableName& table) -> RowBuilder& {
    const auto at = builders_.try_emplace(table, table, book_, rules_).first;
    return at->second;
}

// A part leaves before the next row comes, so that the transaction's end is always in a frame with
// rows.
auto FrameBuilder::add(const TableName& table, Op op, std::string_view document) -> Result<void> {
    if (is_open_ && bytes_ >= options_.frame_bytes) TRY(emit_part());
    auto& builder = builder_of(table);
    if (builder.rows() == 0) active_.push_back(&builder);
    TRY(builder.add(next_row(op), document));
    added(document.size());
    return {};
}

auto FrameBuilder::add_delta(const TableName& table, std::string_view key, const Delta& delta)
    -> Result<bool> {
    if (is_open_ && bytes_ >= options_.frame_bytes) TRY(emit_part());
    auto& builder = builder_of(table);
    const bool was_empty = builder.rows() == 0;
    if (!TRY(builder.add_delta(next_row(Op::update), key, delta))) return false;
    if (was_empty) active_.push_back(&builder);
    std::size_t bytes = key.size();
    for (const auto& field : delta.updated) bytes += field.name.size() + field.value.size();
    added(bytes);
    return true;
}

auto FrameBuilder::truncate(const TableName& table) -> Result<void> {
    if (is_open_ && bytes_ >= options_.frame_bytes) TRY(emit_part());
    auto& builder = builder_of(table);
    const bool was_empty = builder.rows() == 0;
    TRY(builder.add_truncate(next_row(Op::truncate)));
    if (builder.rows() == 0) return {};  // nothing was ever there
    if (was_empty) active_.push_back(&builder);
    added(0);
    return {};
}

auto FrameBuilder::added(std::size_t bytes) -> void {
    extend(is_open_ ? open_ : whole_, next_row(Op::insert));
    ++ordinal_;
    bytes_ += bytes + row_overhead_bytes;
}

auto FrameBuilder::extend(std::optional<RowPlaceRange>& range, const RowPlace& row) -> void {
    if (!range) range = RowPlaceRange{row.commit, row.ordinal, 0, 0, 0};
    range->last_commit = row.commit;
    range->last_ordinal = row.ordinal;
    range->time_us = row.time_us;
}

auto FrameBuilder::keep_token() -> void {
    if (token_view_.data() == nullptr) return;
    token_ = token_view_;
    token_view_ = {};
}

auto FrameBuilder::end_transaction() -> void {
    is_open_ = false;
    const auto open = std::exchange(open_, std::nullopt);
    if (!open) return;
    if (!whole_) whole_ = open;
    whole_->last_commit = open->last_commit;
    whole_->last_ordinal = open->last_ordinal;
    whole_->time_us = open->time_us;
}

// The open transaction is large: what was gathered before it becomes a frame, then what there is of
// it.
auto FrameBuilder::emit_part() -> Result<void> {
    std::vector<Batch> before;
    std::vector<Batch> part;
    for (auto* const builder : std::exchange(active_, {})) {
        auto batches = TRY(builder->finish());
        const auto known = rows_before_open_.find(builder);
        append(split(batches, known == rows_before_open_.end() ? 0 : known->second), part);
        append(std::move(batches), before);
    }
    rows_before_open_.clear();
    bytes_ = 0;
    CHECK(whole_ || open_);
    if (whole_)
        TRY(emit(std::move(before), *std::exchange(whole_, std::nullopt), whole_token_, true));
    if (!open_) return {};
    keep_token();
    return emit(std::move(part), *std::exchange(open_, std::nullopt), token_, false);
}

auto FrameBuilder::close() -> Result<void> {
    if (!whole_ || is_open_) return {};
    std::vector<Batch> batches;
    for (auto* const builder : std::exchange(active_, {})) append(TRY(builder->finish()), batches);
    bytes_ = 0;
    keep_token();
    return emit(std::move(batches), *std::exchange(whole_, std::nullopt), token_, true);
}

auto FrameBuilder::emit(std::vector<Batch> batches, const RowPlaceRange& range,
                        std::string_view resume_token, bool ends) -> Result<void> {
    TRY(book_.save());
    Frame frame;
    const auto token = options_.token_of(resume_token);
    frame.first = {options_.lineage, range.first_commit, range.first_ordinal, token};
    frame.last = {options_.lineage, range.last_commit, range.last_ordinal, token};
    frame.ends_transaction = ends;
    frame.commit_time_us = range.time_us;
    frame.batches = std::move(batches);
    ready_.push_back(std::move(frame));
    return {};
}

auto FrameBuilder::take() -> std::optional<Frame> {
    if (ready_.empty()) return std::nullopt;
    auto frame = std::move(ready_.front());
    ready_.pop_front();
    return frame;
}

}  // namespace leat::mongodb
