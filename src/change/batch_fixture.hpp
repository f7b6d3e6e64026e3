// For tests: tables and batches written down row by row, as a reader would say them.
//
//     const auto orders = keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}});
//     BatchFixture rows(orders, 7);                  // commit 7
//     rows.insert({1, "new"}).update({1, unsent}).move({1}, {2, "moved"}).remove({2}).truncate();
//     sink.write(rows.build());
#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "change/batch.hpp"

namespace leat::fixture {

struct Unsent {};
inline constexpr Unsent unsent;  // a column that the source did not send (unchanged TOAST)

// A value as it is written in a test; cast to the column's type when the batch is built.
struct Value {
    Value(std::nullptr_t) {}                                                     // NOLINT: NULL
    Value(Unsent) : sent(false) {}                                               // NOLINT
    Value(bool value) : scalar(arrow::MakeScalar(value)) {}                      // NOLINT
    Value(int value) : scalar(arrow::MakeScalar(std::int64_t{value})) {}         // NOLINT
    Value(std::int64_t value) : scalar(arrow::MakeScalar(value)) {}              // NOLINT
    Value(double value) : scalar(arrow::MakeScalar(value)) {}                    // NOLINT
    Value(const char* value) : scalar(arrow::MakeScalar(std::string(value))) {}  // NOLINT
    Value(std::string value) : scalar(arrow::MakeScalar(std::move(value))) {}    // NOLINT
    template <std::derived_from<arrow::Scalar> Scalar>
    Value(std::shared_ptr<Scalar> value) : scalar(std::move(value)) {}  // NOLINT

    std::shared_ptr<arrow::Scalar> scalar;
    bool sent = true;
};
using Row = std::vector<Value>;

// A column as it is written in a test; ids follow the position, from 1, unless set.
struct ColumnOf {
    ColumnOf(std::string name, std::shared_ptr<arrow::DataType> type,
             std::string logical_type = "") {
        column.name = std::move(name);
        column.type = std::move(type);
        column.logical_type = std::move(logical_type);
    }
    ColumnOf(Column whole) : column(std::move(whole)) {}  // NOLINT

    Column column;
};
using Columns = std::vector<ColumnOf>;

inline auto table(std::string name, const Columns& columns) -> std::shared_ptr<TableSchema> {
    auto schema = std::make_shared<TableSchema>();
    schema->name = {"public", std::move(name)};
    for (const auto& each : columns) schema->columns.push_back(each.column);
    for (std::size_t i = 0; i < schema->columns.size(); ++i)
        if (schema->columns[i].id == 0) schema->columns[i].id = static_cast<std::int32_t>(i + 1);
    schema->generation = 1;
    return schema;
}
inline auto keyed_table(std::string name, const Columns& columns, std::vector<int> key = {0})
    -> SchemaPtr {
    auto schema = table(std::move(name), columns);
    schema->key = std::move(key);
    return schema;
}
inline auto full_row_table(std::string name, const Columns& columns) -> SchemaPtr {
    auto schema = table(std::move(name), columns);
    schema->identity = RowIdentity::full_row;
    return schema;
}
inline auto append_only_table(std::string name, const Columns& columns) -> SchemaPtr {
    auto schema = table(std::move(name), columns);
    schema->identity = RowIdentity::append_only;
    return schema;
}

class BatchFixture {
public:
    explicit BatchFixture(SchemaPtr schema, std::uint64_t commit = 1)
        : schema_(std::move(schema)), commit_(commit) {}

    auto insert(Row row) -> BatchFixture& { return add(Op::insert, {}, std::move(row)); }
    auto snapshot(Row row) -> BatchFixture& { return add(Op::snapshot, {}, std::move(row)); }
    auto replace(Row row) -> BatchFixture& { return add(Op::replace, {}, std::move(row)); }
    auto update(Row row) -> BatchFixture& { return add(Op::update, {}, std::move(row)); }
    // An update with the old identity: the old key, or the whole old row of a table without a key.
    auto move(Row before, Row after) -> BatchFixture& {
        return add(Op::update, std::move(before), std::move(after));
    }
    // The identity columns' values: the key in key order, or the whole row.
    auto remove(Row identity) -> BatchFixture& {
        const auto columns = identity_columns(*schema_);
        CHECK(identity.size() == columns.size());
        Row row(schema_->columns.size(), Value(nullptr));
        for (std::size_t i = 0; i < columns.size(); ++i)
            row[static_cast<std::size_t>(columns[i])] = identity[i];
        return add(Op::remove, {}, std::move(row));
    }
    auto truncate() -> BatchFixture& {
        return add(Op::truncate, {}, Row(schema_->columns.size(), Value(nullptr)));
    }

    // Ordinals count on from here; commit time is the commit in milliseconds since 1970.
    auto first_ordinal(std::uint64_t ordinal) -> BatchFixture& {
        first_ordinal_ = ordinal;
        return *this;
    }
    [[nodiscard]] auto size() const -> std::size_t { return rows_.size(); }
    [[nodiscard]] auto schema() const -> const SchemaPtr& { return schema_; }
    // The same rows under another version of the schema with the same columns.
    [[nodiscard]] auto with_schema(SchemaPtr schema) const -> BatchFixture {
        auto copy = *this;
        copy.schema_ = std::move(schema);
        return copy;
    }

    [[nodiscard]] auto build() const -> Batch {
        BatchShape shape;
        for (const auto& row : rows_) {
            shape.with_before = shape.with_before || !row.before.empty();
            for (const auto& value : row.after)
                shape.with_unchanged = shape.with_unchanged || !value.sent;
        }
        auto arrow_schema = to_arrow(*schema_, shape);
        CHECK(arrow_schema.has_value());
        const auto& fields = (*arrow_schema)->fields();
        arrow::ArrayVector arrays;
        system_columns(arrays);
        arrays.push_back(before_array(fields[before_column]->type()));
        arrays.push_back(unchanged_array(fields[unchanged_column]->type()));
        for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
            const auto builder = make_builder(schema_->columns[i].type);
            for (const auto& row : rows_) append(*builder, row.after[i]);
            arrays.push_back(finish(*builder));
        }
        return {schema_, arrow::RecordBatch::Make(*arrow_schema, count(), std::move(arrays))};
    }

private:
    struct Entry {
        Op op;
        Row before;
        Row after;
    };

    auto add(Op op, Row before, Row after) -> BatchFixture& {
        CHECK(after.size() == schema_->columns.size());
        CHECK(before.empty() || before.size() == identity_columns(*schema_).size());
        rows_.push_back({op, std::move(before), std::move(after)});
        return *this;
    }

    [[nodiscard]] auto count() const -> std::int64_t {
        return static_cast<std::int64_t>(rows_.size());
    }
    static auto check(const arrow::Status& status) -> void {
        if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
        CHECK(status.ok());
    }
    static auto make_builder(const std::shared_ptr<arrow::DataType>& type)
        -> std::unique_ptr<arrow::ArrayBuilder> {
        auto builder = arrow::MakeBuilder(type);
        check(builder.status());
        return std::move(*builder);
    }
    static auto finish(arrow::ArrayBuilder& builder) -> std::shared_ptr<arrow::Array> {
        auto array = builder.Finish();
        check(array.status());
        return std::move(*array);
    }
    static auto append(arrow::ArrayBuilder& builder, const Value& value) -> void {
        if (!value.sent || !value.scalar) return check(builder.AppendNull());
        if (value.scalar->type->Equals(*builder.type()))
            return check(builder.AppendScalar(*value.scalar));
        const auto cast = value.scalar->CastTo(builder.type());
        check(cast.status());
        check(builder.AppendScalar(**cast));
    }

    auto system_columns(arrow::ArrayVector& arrays) const -> void {
        arrow::UInt8Builder ops;
        arrow::UInt64Builder commits;
        arrow::UInt64Builder ordinals;
        arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                      arrow::default_memory_pool());
        auto ordinal = first_ordinal_;
        for (const auto& row : rows_) {
            check(ops.Append(static_cast<std::uint8_t>(row.op)));
            check(commits.Append(commit_));
            check(ordinals.Append(ordinal++));
            check(times.Append(static_cast<std::int64_t>(commit_) * 1000));
        }
        for (arrow::ArrayBuilder* builder :
             std::initializer_list<arrow::ArrayBuilder*>{&ops, &commits, &ordinals, &times})
            arrays.push_back(finish(*builder));
    }

    [[nodiscard]] auto before_array(const std::shared_ptr<arrow::DataType>& type) const
        -> std::shared_ptr<arrow::Array> {
        const auto builder = make_builder(type);
        for (const auto& row : rows_) {
            if (row.before.empty()) {
                check(builder->AppendNull());
                continue;
            }
            auto& structs = static_cast<arrow::StructBuilder&>(*builder);
            check(structs.Append());
            for (std::size_t i = 0; i < row.before.size(); ++i)
                append(*structs.field_builder(static_cast<int>(i)), row.before[i]);
        }
        return finish(*builder);
    }

    [[nodiscard]] auto unchanged_array(const std::shared_ptr<arrow::DataType>& type) const
        -> std::shared_ptr<arrow::Array> {
        const auto builder = make_builder(type);
        for (const auto& row : rows_) {
            std::string bits((row.after.size() + 7) / 8, '\0');
            bool any = false;
            for (std::size_t i = 0; i < row.after.size(); ++i) {
                if (row.after[i].sent) continue;
                any = true;
                bits[i / 8] = static_cast<char>(bits[i / 8] | (1 << (i % 8)));
            }
            if (any) check(static_cast<arrow::FixedSizeBinaryBuilder&>(*builder).Append(bits));
            else check(builder->AppendNull());
        }
        return finish(*builder);
    }

    SchemaPtr schema_;
    std::uint64_t commit_;
    std::uint64_t first_ordinal_ = 0;
    std::vector<Entry> rows_;
};

}  // namespace leat::fixture
