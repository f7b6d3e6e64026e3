// The values of a row into the builders of its columns, and the builders into a batch.
#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "base/check.hpp"
#include "format/bson/decimal.hpp"
#include "format/bson/json.hpp"
#include "source/mongodb/hex.hpp"
#include "source/mongodb/row_builder.hpp"
#include "source/mongodb/row_fit.hpp"

namespace leat::mongodb {

namespace {

constexpr std::size_t object_id_bytes = 12;

auto arrow_error(const arrow::Status& status) -> Error {
    return {Fault::fatal, "arrow: " + status.message(), "", "mongodb rows"};
}

template <class Builder, class Value>
auto put(arrow::ArrayBuilder& builder, const Value& value) -> void {
    // Out of memory, or 2 GB of text in one column: frames are closed long before.
    CHECK(static_cast<Builder&>(builder).Append(value).ok());
}

auto whole_as_double(const bson::Element& value) -> double {
    return value.type == bson::Type::float64
               ? bson::as_float64(value)
               : static_cast<double>(bson::whole_number(value).value_or(0));
}

}  // namespace

auto RowBuilder::append_fields() -> void {
    for (const auto& [element, column] : fields_)
        if (column >= 0) append(columns_[static_cast<std::size_t>(column)], element);
    if (!whole_.empty()) append_whole();
    append_aside(into_extra, shape_->extra());
    append_aside(into_misfits, shape_->misfits());
    append_nulls();
}

auto RowBuilder::append_whole() -> void {
    scratch_.clear();
    const bson::Element document{bson::Type::document, document_column, whole_};
    if (excluded_.empty()) {
        append_exact_json(scratch_, document);
        return append_text(shape_->column_of(document_column), scratch_);
    }
    bson::Reader reader(whole_);
    for (bson::Element element; reader.next(element);) {
        if (excluded_.contains(element.name)) continue;
        scratch_ += scratch_.empty() ? '{' : ',';
        bson::append_quoted(scratch_, element.name);
        scratch_ += ':';
        append_exact_json(scratch_, element);
    }
    scratch_ += scratch_.empty() ? "{}" : "}";
    append_text(shape_->column_of(document_column), scratch_);
}

auto RowBuilder::append(ColumnBuilder& column, const bson::Element& value) -> void {
    auto& builder = *column.builder;
    switch (column.kind) {
        case Kind::boolean: return put<arrow::BooleanBuilder>(builder, bson::as_boolean(value));
        case Kind::integer:
        case Kind::big_integer:
            return put<arrow::Int64Builder>(builder, bson::whole_number(value).value_or(0));
        case Kind::float64: return put<arrow::DoubleBuilder>(builder, whole_as_double(value));
        case Kind::text: return put<arrow::StringBuilder>(builder, bson::as_text(value));
        case Kind::timestamp: return put<arrow::TimestampBuilder>(builder, timestamp_us(value));
        case Kind::uuid:
            return put<arrow::FixedSizeBinaryBuilder>(builder, bson::as_binary(value).bytes);
        case Kind::binary: return put<arrow::BinaryBuilder>(builder, bson::as_binary(value).bytes);
        case Kind::object_id: {
            char digits[2 * object_id_bytes];
            return put<arrow::StringBuilder>(builder, write_hex(bson::as_object_id(value), digits));
        }
        case Kind::numeric:
            scratch_.clear();
            append_number_text(scratch_, value);
            return put<arrow::StringBuilder>(builder, scratch_);
        case Kind::json:
            scratch_.clear();
            append_exact_json(scratch_, value);
            return put<arrow::StringBuilder>(builder, scratch_);
    }
}

// {"field": value, …} of what has no column.
// The fields that go to this place, as one JSON object.
auto RowBuilder::append_aside(int place, int column) -> void {
    scratch_.clear();
    for (const auto& [element, goes_to] : fields_) {
        if (goes_to != place) continue;
        scratch_ += scratch_.empty() ? '{' : ',';
        bson::append_quoted(scratch_, element.name);
        scratch_ += ':';
        append_exact_json(scratch_, element);
    }
    if (scratch_.empty()) return;
    scratch_ += '}';
    append_text(column, scratch_);
}

auto RowBuilder::append_nulls() -> void {
    if (!tells_nulls_ || null_fields_.empty()) return;
    scratch_.clear();
    for (const auto name : null_fields_) {
        scratch_ += scratch_.empty() ? '[' : ',';
        bson::append_quoted(scratch_, name);
    }
    scratch_ += ']';
    append_text(shape_->nulls(), scratch_);
}

auto RowBuilder::append_text(int column, std::string_view text) -> void {
    put<arrow::StringBuilder>(*columns_[static_cast<std::size_t>(column)].builder, text);
}

auto RowBuilder::fill_with_nulls() -> void {
    for (auto& column : columns_)
        if (column.builder->length() < rows_) CHECK(column.builder->AppendNull().ok());
}

auto empty_batch(const Shape& shape) -> Result<Batch> {
    auto rows = arrow::RecordBatch::MakeEmpty(TRY(to_arrow(*shape.schema(), {})));
    if (!rows.ok()) return arrow_error(rows.status());
    return Batch{shape.schema(), *std::move(rows)};
}

namespace {

auto unchanged_array(const std::vector<std::pair<std::int64_t, std::string>>& marked,
                     std::int64_t rows, const std::shared_ptr<arrow::DataType>& type)
    -> arrow::Result<std::shared_ptr<arrow::Array>> {
    if (marked.empty()) return std::make_shared<arrow::NullArray>(rows);
    arrow::FixedSizeBinaryBuilder builder(type);
    std::int64_t row = 0;
    for (const auto& [at, bitmap] : marked) {
        ARROW_RETURN_NOT_OK(builder.AppendNulls(at - row));
        ARROW_RETURN_NOT_OK(builder.Append(bitmap));
        row = at + 1;
    }
    ARROW_RETURN_NOT_OK(builder.AppendNulls(rows - row));
    return builder.Finish();
}

}  // namespace

auto RowBuilder::make_batch() -> Result<Batch> {
    const auto layout =
        unchanged_.empty() ? layout_ : TRY(to_arrow(*shape_->schema(), {false, true}));
    auto unchanged = unchanged_array(unchanged_, rows_, layout->field(unchanged_column)->type());
    if (!unchanged.ok()) return arrow_error(unchanged.status());
    unchanged_.clear();
    const auto array_of = [&](int column, auto& builder) -> Result<std::shared_ptr<arrow::Array>> {
        std::shared_ptr<arrow::Buffer> values;
        const auto status = builder.Finish(&values);
        if (!status.ok()) return arrow_error(status);
        return arrow::MakeArray(arrow::ArrayData::Make(layout->field(column)->type(), rows_,
                                                       {nullptr, std::move(values)}, 0));
    };
    arrow::ArrayVector arrays = {
        TRY(array_of(op_column, ops_)),
        TRY(array_of(commit_column, commits_)),
        TRY(array_of(ordinal_column, ordinals_)),
        TRY(array_of(commit_time_column, times_)),
        std::make_shared<arrow::NullArray>(rows_),
        *std::move(unchanged),
    };
    for (auto& column : columns_) {
        auto array = column.builder->Finish();
        if (!array.ok()) return arrow_error(array.status());
        arrays.push_back(*std::move(array));
    }
    return Batch{shape_->schema(), arrow::RecordBatch::Make(layout, rows_, std::move(arrays))};
}

}  // namespace leat::mongodb
