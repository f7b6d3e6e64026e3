// FrameBuilder: gathers rows into frames. A frame that leaves holds whole transactions, or a part
// of exactly one large one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "change/frame.hpp"
#include "source/mongodb/row_builder.hpp"

namespace leat::mongodb {

struct FrameOptions {
    std::uint32_t lineage = 0;
    std::size_t frame_bytes = 1U << 20U;
    // Position::token for a resume token of the server.
    std::function<std::string(std::string_view)> token_of;
};

// One thread.
class FrameBuilder {
public:
    FrameBuilder(FrameOptions options, ShapeBook& book, RowRules rules);

    // Rows that follow stand at this cluster time; `is_shared`: others may follow at the same one,
    // until end_transaction().
    auto begin(std::uint64_t commit, std::int64_t time_us, bool is_shared) -> Result<void>;
    auto add(const TableName& table, Op op, std::string_view document) -> Result<void>;
    // False: nothing was added, the whole document is needed (RowBuilder::add_delta).
    auto add_delta(const TableName& table, std::string_view key, const Delta& delta)
        -> Result<bool>;
    auto truncate(const TableName& table) -> Result<void>;
    // Resuming behind `token` goes on behind the last row. The view is used until keep_token().
    auto stands_behind(std::string_view token) -> void { token_view_ = token; }
    auto keep_token() -> void;
    auto end_transaction() -> void;

    // Whole transactions gathered so far become a frame; not while one is open.
    auto close() -> Result<void>;
    auto take() -> std::optional<Frame>;

    [[nodiscard]] auto open_commit() const -> std::optional<std::uint64_t> {
        return is_open_ ? std::optional(commit_) : std::nullopt;
    }
    // Goes on counting behind this row, should others follow at its cluster time.
    auto goes_on_from(const Position& position) -> void;
    [[nodiscard]] auto has_whole() const -> bool { return whole_.has_value(); }
    [[nodiscard]] auto bytes() const -> std::size_t { return bytes_; }

private:
    struct RowPlaceRange {
        std::uint64_t first_commit = 0;
        std::uint64_t first_ordinal = 0;
        std::uint64_t last_commit = 0;
        std::uint64_t last_ordinal = 0;
        std::int64_t time_us = 0;
    };

    auto builder_of(const TableName& table) -> RowBuilder&;
    auto added(std::size_t bytes) -> void;
    static auto extend(std::optional<RowPlaceRange>& range, const RowPlace& row) -> void;
    auto emit_part() -> Result<void>;
    auto emit(std::vector<Batch> batches, const RowPlaceRange& range, std::string_view resume_token,
              bool ends) -> Result<void>;
    [[nodiscard]] auto next_row(Op op) const -> RowPlace {
        return {op, commit_, ordinal_, time_us_};
    }

    const FrameOptions options_;
    ShapeBook& book_;
    const RowRules rules_;
    std::map<TableName, RowBuilder> builders_;
    std::vector<RowBuilder*> active_;  // with rows, in order of their first
    std::deque<Frame> ready_;

    std::uint64_t commit_ = 0;
    std::uint64_t ordinal_ = 0;  // of the next row
    std::int64_t time_us_ = 0;
    bool is_open_ = false;

    std::optional<RowPlaceRange> whole_;  // rows of transactions that have ended
    std::optional<RowPlaceRange> open_;   // rows of the open one behind them
    std::map<RowBuilder*, std::int64_t> rows_before_open_;
    std::string_view token_view_;
    std::string token_;        // of the newest event
    std::string whole_token_;  // of the last one before the open transaction
    std::size_t bytes_ = 0;
};

}  // namespace leat::mongodb
