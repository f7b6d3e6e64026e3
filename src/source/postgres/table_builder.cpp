// Appending rows. Which old values are kept, and what becomes of values the server did not send,
// is decided here (DESIGN: keys, partial rows). Assembling batches is in row_group.cpp.
#include "source/postgres/table_builder.hpp"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace leat::postgres {

namespace {

using pgoutput::OldKind;
using pgoutput::Value;
using pgoutput::ValueKind;
using pgtype::ValueFault;

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "arrow: " + status.message(), "", "postgres rows"};
}

constexpr RowProblem wrong_width{-1, ValueFault::malformed};

auto same_value(const Value& a, const Value& b) -> bool {
    return a.kind == b.kind && a.bytes == b.bytes;
}

auto note(TableBuilder::Outcome& problem, int column, ValueFault fault) -> void {
    if (fault != ValueFault::none && !problem) problem = RowProblem{column, fault};
}

}  // namespace

TableBuilder::TableBuilder(TableLayout layout)
    : layout_(std::move(layout)),
      shapes_(std::make_shared<ArrowShapes>()),
      identity_(identity_columns(*layout_.schema)),
      in_identity_(layout_.schema->columns.size()),
      old_(layout_.schema->columns.size()),
      bitmap_((layout_.schema->columns.size() + 7) / 8) {
    for (const int column : identity_) in_identity_[static_cast<std::size_t>(column)] = 1;
}

auto TableBuilder::make(TableLayout layout) -> Result<std::unique_ptr<TableBuilder>> {
    std::unique_ptr<TableBuilder> made(new TableBuilder(std::move(layout)));
    std::vector<int> all(made->layout_.schema->columns.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    made->columns_ = TRY(make_columns(made->layout_, all));
    made->before_ = TRY(make_columns(made->layout_, made->identity_));
    return made;
}

auto TableBuilder::make_columns(const TableLayout& layout, const std::vector<int>& which)
    -> Result<std::vector<ColumnBuilder>> {
    std::vector<ColumnBuilder> columns;
    columns.reserve(which.size());
    for (const int index : which) {
        const auto& mapping = layout.mappings[static_cast<std::size_t>(index)];
        auto builder = arrow::MakeBuilder(mapping.type);
        if (!builder.ok()) return arrow_error(builder.status());
        auto writer = TRY(pgtype::ValueWriter::make(mapping, builder->get()));
        columns.push_back({std::move(*builder), std::move(writer)});
    }
    return columns;
}

auto TableBuilder::start_row(Op op, std::uint64_t ordinal) -> void {
    // Growth failure of 9 bytes a row: out of memory, nothing sensible is left to do.
    CHECK(ops_.Append(static_cast<std::uint8_t>(op)).ok());
    CHECK(ordinals_.Append(ordinal).ok());
    ++rows_;
}

auto TableBuilder::append(ColumnBuilder& column, const Value& value) -> ValueFault {
    switch (value.kind) {
        case ValueKind::text: return column.writer.append_text(value.bytes);
        case ValueKind::binary: return column.writer.append_binary(value.bytes);
        default: return column.writer.append_null();
    }
}

auto TableBuilder::read_old(const pgoutput::TupleView& tuple) -> bool {
    if (tuple.size() != old_.size()) return false;
    auto* to = old_.data();
    for (const auto& value : tuple) *to++ = value;
    return true;
}

auto TableBuilder::insert(const pgoutput::TupleView& after, std::uint64_t ordinal) -> Outcome {
    if (after.size() != columns_.size()) return wrong_width;
    start_row(Op::insert, ordinal);
    Outcome problem;
    auto* column = columns_.data();
    for (const auto& value : after) {
        note(problem, static_cast<int>(column - columns_.data()), append(*column, value));
        ++column;
    }
    return problem;
}

// `_before` is the old key where it changed, or the whole old row of a table without a key. A value
// that was not sent is taken from the old row where the server sent that, else marked.
auto TableBuilder::update(const pgoutput::Update& update, std::uint64_t ordinal) -> Outcome {
    const bool full_row = layout_.schema->identity == RowIdentity::full_row;
    const bool has_old = update.old_kind != OldKind::none;
    if (update.after.size() != columns_.size() || (has_old && !read_old(update.before)) ||
        (full_row && update.old_kind != OldKind::full))
        return wrong_width;
    start_row(Op::update, ordinal);
    Outcome problem;
    bool key_changed = false;
    bool partial = false;
    std::size_t i = 0;
    for (const auto& value : update.after) {
        const bool identifies = in_identity_[i] != 0;
        auto fault = ValueFault::none;
        if (value.kind != ValueKind::unchanged) {
            if (identifies && has_old && !same_value(old_[i], value)) key_changed = true;
            fault = append(columns_[i], value);
        } else if (update.old_kind == OldKind::full || (has_old && identifies)) {
            fault = append(columns_[i], old_[i]);
        } else {
            if (!std::exchange(partial, true)) std::fill(bitmap_.begin(), bitmap_.end(), 0);
            bitmap_[i / 8] = static_cast<std::uint8_t>(bitmap_[i / 8] | 1U << (i % 8));
            fault = columns_[i].writer.append_null();
        }
        note(problem, static_cast<int>(i), fault);
        ++i;
    }
    if (partial && !problem) problem = mark_unchanged();
    if ((full_row || key_changed) && !problem) problem = append_before();
    return problem;
}

auto TableBuilder::remove(const pgoutput::Delete& removal, std::uint64_t ordinal) -> Outcome {
    if (removal.before.size() != columns_.size() ||
        layout_.schema->identity == RowIdentity::append_only)
        return wrong_width;
    start_row(Op::remove, ordinal);
    Outcome problem;
    std::size_t i = 0;
    for (const auto& value : removal.before) {
        const auto fault =
            in_identity_[i] != 0 ? append(columns_[i], value) : columns_[i].writer.append_null();
        note(problem, static_cast<int>(i), fault);
        ++i;
    }
    return problem;
}

auto TableBuilder::truncate(std::uint64_t ordinal) -> Outcome {
    start_row(Op::truncate, ordinal);
    Outcome problem;
    for (std::size_t i = 0; i < columns_.size(); ++i)
        note(problem, static_cast<int>(i), columns_[i].writer.append_null());
    return problem;
}

// Columns without a usable binary form are text by the query (snapshot.cpp).
auto TableBuilder::snapshot(pgcopy::RowView row, std::uint64_t ordinal) -> Outcome {
    start_row(Op::snapshot, ordinal);
    Outcome problem;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const auto field = row.next();
        auto& writer = columns_[i].writer;
        const auto fault = field.null                      ? writer.append_null()
                           : layout_.mappings[i].binary_ok ? writer.append_binary(field.bytes)
                                                           : writer.append_text(field.bytes);
        note(problem, static_cast<int>(i), fault);
    }
    return problem;
}

auto TableBuilder::append_before() -> Outcome {
    Outcome problem;
    for (; before_rows_ < rows_ - 1; ++before_rows_) {
        CHECK(before_given_.Append(false).ok());
        for (auto& column : before_) note(problem, -1, column.writer.append_null());
    }
    CHECK(before_given_.Append(true).ok());
    for (std::size_t i = 0; i < before_.size(); ++i)
        note(problem, identity_[i],
             append(before_[i], old_[static_cast<std::size_t>(identity_[i])]));
    ++before_rows_;
    return problem;
}

auto TableBuilder::mark_unchanged() -> Outcome {
    const auto width = static_cast<std::int64_t>(bitmap_.size());
    const auto gap = rows_ - 1 - unchanged_rows_;
    const bool appended =
        unchanged_.Append(gap * width, 0).ok() && unchanged_given_.Append(gap, false).ok() &&
        unchanged_.Append(bitmap_.data(), width).ok() && unchanged_given_.Append(true).ok();
    if (!appended) return RowProblem{-1, ValueFault::capacity};
    unchanged_rows_ = rows_;
    return std::nullopt;
}

auto TableBuilder::seal(std::uint64_t commit, std::int64_t commit_time_us) -> void {
    if (!seals_.empty() && seals_.back().rows == rows_) return;
    seals_.push_back({rows_, commit, commit_time_us});
}

}  // namespace leat::postgres
