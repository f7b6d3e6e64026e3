// Re-shaping batches: between schema versions, and from many to one.
#include "format/widen/adapt.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>

#include "format/widen/widen.hpp"

namespace leat {

namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

auto arrow_error(const arrow::Status& status) -> Error {
    return {status.IsOutOfMemory() ? Fault::retry : Fault::fatal, "arrow: " + status.message(), "",
            "rows"};
}

// Position of the column with this id, -1: none.
auto index_of(const TableSchema& schema, std::int32_t id) -> int {
    for (std::size_t i = 0; i < schema.columns.size(); ++i)
        if (schema.columns[i].id == id) return static_cast<int>(i);
    return -1;
}

auto at(const TableSchema& schema, int index) -> const Column& {
    return schema.columns[static_cast<std::size_t>(index)];
}

auto constant(const Column& column, std::int64_t rows) -> arrow::Result<ArrayPtr> {
    if (!column.default_value) return arrow::MakeArrayOfNull(column.type, rows);
    return arrow::MakeArrayFromScalar(*column.default_value, rows);
}

// `_before` of the later version: for a table without a key it holds every column, and the rows it
// names have got the defaults too.
auto adapt_before(const Batch& batch, const TableSchema& to) -> arrow::Result<ArrayPtr> {
    const auto& before = batch.rows->column(before_column);
    if (before->type_id() == arrow::Type::NA) return before;
    const auto& from = *batch.schema;
    const auto& structs = static_cast<const arrow::StructArray&>(*before);
    const auto from_columns = identity_columns(from);
    arrow::ArrayVector fields;
    arrow::FieldVector types;
    for (const int index : identity_columns(to)) {
        const auto& column = to.columns[static_cast<std::size_t>(index)];
        const int old = index_of(from, column.id);
        const auto place = std::find(from_columns.begin(), from_columns.end(), old);
        ArrayPtr values;
        if (old < 0 || place == from_columns.end()) {
            ARROW_ASSIGN_OR_RAISE(values, constant(column, before->length()));
        } else {
            const auto& sent = structs.field(static_cast<int>(place - from_columns.begin()));
            ARROW_ASSIGN_OR_RAISE(values, widen(sent, at(from, old), column));
        }
        fields.push_back(std::move(values));
        types.push_back(arrow::field(column.name, column.type));
    }
    std::shared_ptr<arrow::Buffer> validity;
    if (structs.null_count() > 0) {
        ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateBitmap(before->length()));
        for (std::int64_t i = 0; i < before->length(); ++i) {
            auto* const bits = validity->mutable_data();
            const auto bit = static_cast<std::uint8_t>(1U << (static_cast<unsigned>(i) % 8U));
            if (structs.IsValid(i)) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | bit);
            else bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] & ~bit);
        }
    }
    return std::make_shared<arrow::StructArray>(arrow::struct_(types), before->length(), fields,
                                                validity);
}

// Moves the bits of `_unchanged` to the places of the later version. A row that tells only some of
// its values does not tell those of later columns either: where an image brought them, they stay.
auto adapt_unchanged(const Batch& batch, const TableSchema& to) -> arrow::Result<ArrayPtr> {
    const auto& unchanged = batch.rows->column(unchanged_column);
    if (unchanged->type_id() == arrow::Type::NA) return unchanged;
    const auto& bits = static_cast<const arrow::FixedSizeBinaryArray&>(*unchanged);
    const auto width = static_cast<std::int32_t>((to.columns.size() + 7) / 8);
    arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(width));
    std::string moved(static_cast<std::size_t>(width), '\0');
    for (std::int64_t row = 0; row < bits.length(); ++row) {
        if (bits.IsNull(row)) {
            ARROW_RETURN_NOT_OK(builder.AppendNull());
            continue;
        }
        std::fill(moved.begin(), moved.end(), '\0');
        for (std::size_t i = 0; i < to.columns.size(); ++i) {
            const int old = index_of(*batch.schema, to.columns[i].id);
            const auto place = static_cast<unsigned>(old);
            if (old < 0 || ((bits.GetValue(row)[place / 8U] >> (place % 8U)) & 1) != 0)
                moved[i / 8] =
                    static_cast<char>(static_cast<unsigned char>(moved[i / 8]) | (1U << (i % 8U)));
        }
        ARROW_RETURN_NOT_OK(builder.Append(moved));
    }
    return builder.Finish();
}

auto adapted(const Batch& batch, const TableSchema& to) -> arrow::Result<arrow::ArrayVector> {
    arrow::ArrayVector arrays;
    for (int i = 0; i < before_column; ++i) arrays.push_back(batch.rows->column(i));
    ARROW_ASSIGN_OR_RAISE(auto before, adapt_before(batch, to));
    ARROW_ASSIGN_OR_RAISE(auto unchanged, adapt_unchanged(batch, to));
    arrays.push_back(std::move(before));
    arrays.push_back(std::move(unchanged));
    for (const auto& column : to.columns) {
        const int old = index_of(*batch.schema, column.id);
        ArrayPtr values;
        if (old < 0) {
            ARROW_ASSIGN_OR_RAISE(values, constant(column, batch.rows->num_rows()));
        } else {
            const auto& sent = batch.rows->column(first_table_column + old);
            ARROW_ASSIGN_OR_RAISE(values, widen(sent, at(*batch.schema, old), column));
        }
        arrays.push_back(std::move(values));
    }
    return arrays;
}

auto shape_of(const arrow::RecordBatch& rows) -> BatchShape {
    return {rows.column(before_column)->type_id() != arrow::Type::NA,
            rows.column(unchanged_column)->type_id() != arrow::Type::NA};
}

}  // namespace

auto adapt(const Batch& batch, const SchemaPtr& schema) -> Result<Batch> {
    if (batch.schema == schema || same_shape(*batch.schema, *schema))
        return Batch{schema, batch.rows};
    auto arrays = adapted(batch, *schema);
    if (!arrays.ok()) return arrow_error(arrays.status());
    auto layout = TRY(to_arrow(*schema, shape_of(*batch.rows)));
    return Batch{schema, arrow::RecordBatch::Make(std::move(layout), batch.rows->num_rows(),
                                                  std::move(*arrays))};
}

auto join(std::vector<Batch> batches) -> Result<Batch> {
    if (batches.size() == 1) return std::move(batches.front());
    BatchShape shape;
    for (const auto& batch : batches) {
        const auto one = shape_of(*batch.rows);
        shape.with_before |= one.with_before;
        shape.with_unchanged |= one.with_unchanged;
    }
    const auto schema = batches.front().schema;
    const auto layout = TRY(to_arrow(*schema, shape));
    std::vector<std::shared_ptr<arrow::RecordBatch>> all;
    for (const auto& batch : batches) {
        auto arrays = batch.rows->columns();
        for (const int index : {before_column, unchanged_column}) {
            auto& array = arrays[static_cast<std::size_t>(index)];
            if (array->type_id() != arrow::Type::NA) continue;
            auto nulls = arrow::MakeArrayOfNull(layout->field(index)->type(), array->length());
            if (!nulls.ok()) return arrow_error(nulls.status());
            array = std::move(*nulls);
        }
        all.push_back(arrow::RecordBatch::Make(layout, batch.rows->num_rows(), std::move(arrays)));
    }
    auto joined = arrow::ConcatenateRecordBatches(all);
    if (!joined.ok()) return arrow_error(joined.status());
    return Batch{schema, std::move(*joined)};
}

}  // namespace leat
