// TableBuilder: wire values of one table version straight into Arrow builders, in the layout of
// change/batch.hpp. One thread; no allocation per row.
#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"
#include "format/pgcopy/pgcopy.hpp"
#include "format/pgoutput/message.hpp"
#include "source/postgres/layout.hpp"

namespace leat::postgres {

// Where the rows up to `rows` were committed; rows after the last seal are of the open transaction.
struct Seal {
    std::int64_t rows = 0;
    std::uint64_t commit = 0;
    std::int64_t commit_time_us = 0;
};

// Rows that left their builder, still without commit columns.
struct RowGroup {
    SchemaPtr schema;
    std::shared_ptr<ArrowShapes> shapes;
    std::int64_t rows = 0;
    std::vector<Seal> seals;
    std::shared_ptr<arrow::Array> ops;
    std::shared_ptr<arrow::Array> ordinals;
    std::shared_ptr<arrow::Array> before;     // null pointer: none
    std::shared_ptr<arrow::Array> unchanged;  // null pointer: none
    std::vector<std::shared_ptr<arrow::Array>> columns;

    [[nodiscard]] auto sealed() const -> std::int64_t {
        return seals.empty() ? 0 : seals.back().rows;
    }
    // Cuts the rows that are not sealed off and returns them.
    auto split_unsealed() -> RowGroup;
    // All rows must be sealed.
    auto to_batch() const -> Result<Batch>;
};

// A value that its column cannot hold; column -1: the message does not fit the table at all.
struct RowProblem {
    int column = -1;
    pgtype::ValueFault fault = pgtype::ValueFault::malformed;
};

class TableBuilder {
public:
    static auto make(TableLayout layout) -> Result<std::unique_ptr<TableBuilder>>;

    // After a problem the row is there, of full width but without meaning: finish(true) at once.
    using Outcome = std::optional<RowProblem>;
    auto insert(const pgoutput::TupleView& after, std::uint64_t ordinal) -> Outcome;
    auto update(const pgoutput::Update& update, std::uint64_t ordinal) -> Outcome;
    auto remove(const pgoutput::Delete& removal, std::uint64_t ordinal) -> Outcome;
    auto truncate(std::uint64_t ordinal) -> Outcome;
    auto snapshot(pgcopy::RowView row, std::uint64_t ordinal) -> Outcome;

    // All rows so far that are not sealed were committed there.
    auto seal(std::uint64_t commit, std::int64_t commit_time_us) -> void;

    // Takes the rows out; the builder goes on empty.
    auto finish(bool drop_last_row) -> Result<RowGroup>;

    [[nodiscard]] auto rows() const -> std::int64_t { return rows_; }
    // Whether the last row lacks columns that were not sent.
    [[nodiscard]] auto is_last_partial() const -> bool {
        return rows_ > 0 && unchanged_rows_ == rows_;
    }
    [[nodiscard]] auto layout() const -> const TableLayout& { return layout_; }

private:
    struct ColumnBuilder {
        std::unique_ptr<arrow::ArrayBuilder> builder;
        pgtype::ValueWriter writer;
    };

    explicit TableBuilder(TableLayout layout);
    static auto make_columns(const TableLayout& layout, const std::vector<int>& which)
        -> Result<std::vector<ColumnBuilder>>;

    auto start_row(Op op, std::uint64_t ordinal) -> void;
    auto append(ColumnBuilder& column, const pgoutput::Value& value) -> pgtype::ValueFault;
    auto append_before() -> Outcome;
    auto mark_unchanged() -> Outcome;
    auto read_old(const pgoutput::TupleView& tuple) -> bool;
    auto finish_before() -> Result<std::shared_ptr<arrow::Array>>;
    auto finish_unchanged() -> Result<std::shared_ptr<arrow::Array>>;
    auto reserve() -> Result<void>;

    TableLayout layout_;
    std::shared_ptr<ArrowShapes> shapes_;
    std::vector<int> identity_;
    std::vector<char> in_identity_;  // per column
    std::vector<ColumnBuilder> columns_;

    arrow::TypedBufferBuilder<std::uint8_t> ops_;
    arrow::TypedBufferBuilder<std::uint64_t> ordinals_;
    std::vector<Seal> seals_;
    std::int64_t rows_ = 0;
    std::int64_t rows_expected_ = 0;

    // Filled up lazily: both are rare in most tables.
    std::vector<ColumnBuilder> before_;
    arrow::TypedBufferBuilder<bool> before_given_;
    std::int64_t before_rows_ = 0;
    arrow::BufferBuilder unchanged_;
    arrow::TypedBufferBuilder<bool> unchanged_given_;
    std::int64_t unchanged_rows_ = 0;

    std::vector<pgoutput::Value> old_;  // of the row being read
    std::vector<std::uint8_t> bitmap_;
};

}  // namespace leat::postgres
