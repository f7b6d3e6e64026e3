// FrameBuilder: gathers the rows of transactions into frames. A commit's position is known only at
// the commit, so rows of the open transaction wait unsealed; a frame that leaves holds whole
// transactions, or a part of exactly one large one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/frame.hpp"
#include "source/postgres/table_builder.hpp"

namespace leat::postgres {

// One thread. Builders are registered by use: every builder that got a row is passed to added().
class FrameBuilder {
public:
    FrameBuilder(std::uint32_t lineage, std::string token);

    auto begin() -> void;
    // The ordinal for the next row of the open transaction.
    [[nodiscard]] auto next_ordinal() const -> std::uint64_t { return next_ordinal_; }
    // `table` got that row, of about `bytes` bytes.
    auto added(TableBuilder& table, std::size_t bytes) -> void;
    // Takes the rows out of `table`, which is about to be replaced or had to refuse its last row.
    auto flush(TableBuilder& table, bool drop_last_row) -> Result<void>;

    struct CommitPoint {
        std::uint64_t commit = 0;
        std::int64_t commit_time_us = 0;
    };
    // The open transaction ends here.
    auto commit(const CommitPoint& point) -> Result<void>;
    // The open transaction, whose commit is known already, goes on: what there is of it becomes a
    // frame of its own.
    auto commit_part(const CommitPoint& point) -> Result<void>;
    // The open transaction is large and its commit not known: earlier ones become a frame, its
    // rows leave the builders and wait.
    auto set_aside() -> Result<void>;
    // Whole transactions gathered so far become a frame.
    auto close() -> Result<void>;

    auto take() -> std::optional<Frame>;
    [[nodiscard]] auto has_ready() const -> bool { return !ready_.empty(); }

    // Of rows in builders: whole transactions and the open one.
    [[nodiscard]] auto bytes() const -> std::size_t { return bytes_; }
    // Of open rows that were set aside.
    [[nodiscard]] auto waiting_bytes() const -> std::size_t { return waiting_bytes_; }
    [[nodiscard]] auto has_whole() const -> bool { return last_.has_value(); }
    [[nodiscard]] auto has_open() const -> bool { return next_ordinal_ != part_first_; }

private:
    struct RowPlace {
        std::uint64_t commit = 0;
        std::uint64_t ordinal = 0;
        std::int64_t commit_time_us = 0;
    };
    // Rows of the open transaction out of their builders.
    struct Part {
        std::vector<RowGroup> groups;
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };

    auto seal_open(const CommitPoint& point) -> void;
    auto gather() -> Result<void>;
    auto release_waiting(const CommitPoint& point, bool ends) -> Result<void>;
    auto emit(std::vector<RowGroup> groups, const RowPlace& first, const RowPlace& last, bool ends)
        -> Result<void>;

    const std::uint32_t lineage_;
    const std::string token_;
    std::deque<Frame> ready_;

    std::vector<TableBuilder*> active_;  // with rows, in order of their first
    std::vector<RowGroup> groups_;       // left their builders already
    std::optional<RowPlace> first_;      // of the whole transactions
    std::optional<RowPlace> last_;
    std::size_t bytes_ = 0;

    std::uint64_t next_ordinal_ = 0;
    std::uint64_t part_first_ = 0;  // first ordinal that is still in builders or groups_
    std::deque<Part> waiting_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace leat::postgres
