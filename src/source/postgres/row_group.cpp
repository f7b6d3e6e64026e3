// Taking rows out of a TableBuilder and making batches of them.
#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "source/postgres/table_builder.hpp"

namespace leat::postgres {

namespace {

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "arrow: " + status.message(), "", "postgres rows"};
}

// `field` of every seal's rows, as a column of 64-bit values.
template <class Field>
auto expand(const RowGroup& group, const std::shared_ptr<arrow::DataType>& type, Field field)
    -> Result<std::shared_ptr<arrow::Array>> {
    auto buffer =
        arrow::AllocateBuffer(group.rows * static_cast<std::int64_t>(sizeof(std::int64_t)));
    if (!buffer.ok()) return arrow_error(buffer.status());
    auto* at = reinterpret_cast<std::int64_t*>((*buffer)->mutable_data());
    std::int64_t row = 0;
    for (const auto& seal : group.seals) {
        std::fill(at + row, at + seal.rows, static_cast<std::int64_t>(field(seal)));
        row = seal.rows;
    }
    return arrow::MakeArray(arrow::ArrayData::Make(
        type, group.rows, {nullptr, std::shared_ptr<arrow::Buffer>(std::move(*buffer))}, 0));
}

auto array_of(const std::shared_ptr<arrow::DataType>& type, std::int64_t rows,
              std::shared_ptr<arrow::Buffer> values, std::shared_ptr<arrow::Buffer> valid)
    -> std::shared_ptr<arrow::Array> {
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, rows, {std::move(valid), std::move(values)}));
}

}  // namespace

auto TableBuilder::reserve() -> Result<void> {
    auto status = ops_.Reserve(rows_expected_);
    if (status.ok()) status = ordinals_.Reserve(rows_expected_);
    for (auto& column : columns_)
        if (status.ok()) status = column.builder->Reserve(rows_expected_);
    return status.ok() ? Result<void>() : arrow_error(status);
}

auto TableBuilder::finish(bool drop_last_row) -> Result<RowGroup> {
    RowGroup group;
    group.schema = layout_.schema;
    group.shapes = shapes_;
    group.rows = drop_last_row ? rows_ - 1 : rows_;
    group.seals = std::exchange(seals_, {});
    auto ops = ops_.Finish();
    auto ordinals = ordinals_.Finish();
    if (!ops.ok()) return arrow_error(ops.status());
    if (!ordinals.ok()) return arrow_error(ordinals.status());
    group.ops = array_of(arrow::uint8(), rows_, *ops, nullptr);
    group.ordinals = array_of(arrow::uint64(), rows_, *ordinals, nullptr);
    for (auto& column : columns_) {
        auto finished = column.builder->Finish();
        if (!finished.ok()) return arrow_error(finished.status());
        group.columns.push_back(*finished);
    }
    if (before_rows_ > 0) group.before = TRY(finish_before());
    if (unchanged_rows_ > 0) group.unchanged = TRY(finish_unchanged());
    rows_expected_ = std::exchange(rows_, 0);
    TRY(reserve());
    return group;
}

auto TableBuilder::finish_before() -> Result<std::shared_ptr<arrow::Array>> {
    for (; before_rows_ < rows_; ++before_rows_) {
        CHECK(before_given_.Append(false).ok());
        for (auto& column : before_)
            if (column.writer.append_null() != pgtype::ValueFault::none)
                return arrow_error(arrow::Status::OutOfMemory("old values"));
    }
    arrow::ArrayVector children;
    for (auto& column : before_) {
        auto finished = column.builder->Finish();
        if (!finished.ok()) return arrow_error(finished.status());
        children.push_back(*finished);
    }
    auto given = before_given_.Finish();
    if (!given.ok()) return arrow_error(given.status());
    const auto shape = TRY(shapes_->get(*layout_.schema, {true, false}));
    before_rows_ = 0;
    return std::make_shared<arrow::StructArray>(shape->field(before_column)->type(), rows_,
                                                std::move(children), *given);
}

auto TableBuilder::finish_unchanged() -> Result<std::shared_ptr<arrow::Array>> {
    const auto width = static_cast<std::int64_t>(bitmap_.size());
    const auto gap = rows_ - unchanged_rows_;
    auto status = unchanged_.Append(gap * width, 0);
    if (status.ok()) status = unchanged_given_.Append(gap, false);
    if (!status.ok()) return arrow_error(status);
    auto values = unchanged_.Finish();
    auto given = unchanged_given_.Finish();
    if (!values.ok()) return arrow_error(values.status());
    if (!given.ok()) return arrow_error(given.status());
    unchanged_rows_ = 0;
    const auto type = arrow::fixed_size_binary(static_cast<std::int32_t>(width));
    return array_of(type, rows_, *values, *given);
}

auto RowGroup::split_unsealed() -> RowGroup {
    RowGroup rest;
    rest.schema = schema;
    rest.shapes = shapes;
    const auto at = sealed();
    rest.rows = rows - at;
    const auto cut = [&](std::shared_ptr<arrow::Array>& array, std::shared_ptr<arrow::Array>& to) {
        if (!array) return;
        to = array->Slice(at, rest.rows);
        array = array->Slice(0, at);
    };
    cut(ops, rest.ops);
    cut(ordinals, rest.ordinals);
    cut(before, rest.before);
    cut(unchanged, rest.unchanged);
    rest.columns.resize(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) cut(columns[i], rest.columns[i]);
    rows = at;
    return rest;
}

auto RowGroup::to_batch() const -> Result<Batch> {
    CHECK(sealed() == rows);
    const auto shape = TRY(shapes->get(*schema, {before != nullptr, unchanged != nullptr}));
    const auto column_type = [&](int column) { return shape->field(column)->type(); };
    const auto given_or_null = [&](const std::shared_ptr<arrow::Array>& array) {
        return array ? array : std::make_shared<arrow::NullArray>(rows);
    };
    arrow::ArrayVector arrays = {
        ops,
        TRY(expand(*this, column_type(commit_column),
                   [](const Seal& seal) { return seal.commit; })),
        ordinals,
        TRY(expand(*this, column_type(commit_time_column),
                   [](const Seal& seal) { return seal.commit_time_us; })),
        given_or_null(before),
        given_or_null(unchanged),
    };
    arrays.insert(arrays.end(), columns.begin(), columns.end());
    // A dropped last row is still in the arrays.
    for (auto& array : arrays)
        if (array->length() != rows) array = array->Slice(0, rows);
    return Batch{schema, arrow::RecordBatch::Make(shape, rows, std::move(arrays))};
}

}  // namespace leat::postgres
