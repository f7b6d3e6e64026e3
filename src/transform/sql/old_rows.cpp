// Two passes over single images, put together again by position; see old_rows.hpp.
#include "transform/sql/old_rows.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer_builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "change/pick_rows.hpp"

namespace leat::sql {

namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Numbers = std::vector<std::int64_t>;

auto failed(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "transform: " + status.message(), "", "arrow"};
}

auto op_of(const Batch& batch, std::int64_t row) -> Op {
    return static_cast<Op>(
        static_cast<const arrow::UInt8Array&>(*batch.rows->column(op_column)).Value(row));
}

auto has_before(const Batch& batch, std::int64_t row) -> bool {
    const auto& before = *batch.rows->column(before_column);
    return before.type_id() != arrow::Type::NA && before.IsValid(row);
}

auto ops_array(const std::vector<Op>& ops) -> Result<ArrayPtr> {
    arrow::UInt8Builder builder;
    for (const auto op : ops)
        if (auto status = builder.Append(static_cast<std::uint8_t>(op)); !status.ok())
            return failed(status);
    auto array = builder.Finish();
    if (!array.ok()) return failed(array.status());
    return *array;
}

auto concatenated(const ArrayPtr& a, const ArrayPtr& b) -> Result<ArrayPtr> {
    auto both = arrow::Concatenate({a, b});
    if (!both.ok()) return failed(both.status());
    return *both;
}

// The rows of `values` in one batch: system columns of `places`, no old rows.
auto batch_of(const SchemaPtr& schema, const Batch& places, const Numbers& rows,
              const std::vector<Op>& ops, arrow::ArrayVector values, ArrayPtr before)
    -> Result<Batch> {
    arrow::ArrayVector columns = {TRY(ops_array(ops))};
    for (const int column : {commit_column, ordinal_column, commit_time_column})
        columns.push_back(TRY(take_values(places.rows->column(column), rows)));
    const auto count = static_cast<std::int64_t>(rows.size());
    const bool with_before = before != nullptr;
    columns.push_back(with_before ? std::move(before) : std::make_shared<arrow::NullArray>(count));
    columns.push_back(std::make_shared<arrow::NullArray>(count));
    columns.insert(columns.end(), values.begin(), values.end());
    const auto shape = TRY(to_arrow(*schema, {.with_before = with_before}));
    return Batch{schema, arrow::RecordBatch::Make(shape, count, std::move(columns))};
}

// Every row but deletes, as it is after the change.
auto new_rows(const Batch& batch) -> Result<Batch> {
    Numbers rows;
    std::vector<Op> ops;
    for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row) {
        if (op_of(batch, row) == Op::remove) continue;
        rows.push_back(row);
        ops.push_back(op_of(batch, row));
    }
    arrow::ArrayVector values;
    for (int i = first_table_column; i < batch.rows->num_columns(); ++i)
        values.push_back(TRY(take_values(batch.rows->column(i), rows)));
    return batch_of(batch.schema, batch, rows, ops, std::move(values), nullptr);
}

// The rows that updates and deletes take away, as if they came now.
auto old_rows(const Batch& batch) -> Result<Batch> {
    const auto count = batch.rows->num_rows();
    Numbers rows;
    Numbers from;
    for (std::int64_t row = 0; row < count; ++row) {
        const bool is_delete = op_of(batch, row) == Op::remove;
        if (!is_delete && !has_before(batch, row)) continue;
        rows.push_back(row);
        from.push_back(is_delete ? row : row + count);
    }
    const auto& before = batch.rows->column(before_column);
    arrow::ArrayVector values;
    for (std::size_t i = 0; i < batch.schema->columns.size(); ++i) {
        const auto& after = batch.rows->column(first_table_column + static_cast<int>(i));
        if (before->type_id() == arrow::Type::NA) {
            values.push_back(TRY(take_values(after, from)));
            continue;
        }
        const auto old = static_cast<const arrow::StructArray&>(*before).field(static_cast<int>(i));
        values.push_back(TRY(take_values(TRY(concatenated(after, old)), from)));
    }
    return batch_of(batch.schema, batch, rows, std::vector<Op>(rows.size(), Op::insert),
                    std::move(values), nullptr);
}

// What came out of a pass, asked for row by row of the batch, in its order.
class Outcome {
public:
    explicit Outcome(const Applied& applied)
        : applied_(applied),
          commits_(number(commit_column)),
          ordinals_(number(ordinal_column)) {}

    struct Row {
        std::int64_t place = -1;  // in the output; -1: excluded
        const Rejection* rejection = nullptr;

        [[nodiscard]] auto passed() const -> bool { return place >= 0 && rejection == nullptr; }
    };

    auto of(std::uint64_t commit, std::uint64_t ordinal) -> Row {
        if (next_ == commits_.length() || commits_.Value(next_) != commit ||
            ordinals_.Value(next_) != ordinal)
            return {};
        Row row{next_++};
        if (next_reject_ < applied_.rejects.size() &&
            applied_.rejects[next_reject_].row == row.place)
            row.rejection = &applied_.rejects[next_reject_++];
        return row;
    }

private:
    [[nodiscard]] auto number(int column) const -> const arrow::UInt64Array& {
        return static_cast<const arrow::UInt64Array&>(*applied_.out.rows->column(column));
    }

    const Applied& applied_;
    const arrow::UInt64Array& commits_;
    const arrow::UInt64Array& ordinals_;
    std::int64_t next_ = 0;
    std::size_t next_reject_ = 0;
};

class Joining {
public:
    Joining(const Batch& batch, Applied fresh, Applied old)
        : batch_(batch), fresh_(std::move(fresh)), old_(std::move(old)) {}

    auto run() -> Result<Applied> {
        const auto& commits =
            static_cast<const arrow::UInt64Array&>(*batch_.rows->column(commit_column));
        const auto& ordinals =
            static_cast<const arrow::UInt64Array&>(*batch_.rows->column(ordinal_column));
        Outcome fresh(fresh_);
        Outcome old(old_);
        result_.filtered = fresh_.filtered;
        result_.dropped = fresh_.dropped;
        result_.warned = fresh_.warned;
        for (std::int64_t row = 0; row < batch_.rows->num_rows(); ++row) {
            const bool is_delete = op_of(batch_, row) == Op::remove;
            Outcome::Row before;
            if (is_delete || has_before(batch_, row))
                before = old.of(commits.Value(row), ordinals.Value(row));
            if (is_delete) remove(row, before);
            else change(row, fresh.of(commits.Value(row), ordinals.Value(row)), before);
        }
        result_.out = TRY(joined());
        return std::move(result_);
    }

private:
    auto remove(std::int64_t row, const Outcome::Row& before) -> void {
        if (before.passed()) add(row, Op::remove, old_place(before));
        else if (before.rejection != nullptr) ++result_.passed_over["old_row_rejected"];
        else ++result_.filtered;
    }

    auto change(std::int64_t row, const Outcome::Row& fresh, const Outcome::Row& before) -> void {
        if (fresh.passed() && before.passed()) {
            add(row, Op::update, fresh.place, before.place);
            return;
        }
        if (before.passed()) {
            add(row, Op::remove, old_place(before));
            ++result_.substitutes;
        }
        if (fresh.place < 0) return;
        if (fresh.rejection != nullptr) {
            result_.rejects.push_back(*fresh.rejection);
            result_.rejects.back().row = static_cast<std::int64_t>(rows_.size());
        }
        const bool inserts = has_before(batch_, row);
        add(row, inserts ? Op::insert : op_of(batch_, row), fresh.place);
    }

    [[nodiscard]] auto old_place(const Outcome::Row& row) const -> std::int64_t {
        return fresh_.out.rows->num_rows() + row.place;
    }

    // `place`: in the new rows' output, behind it the old ones'.
    auto add(std::int64_t row, Op op, std::int64_t place, std::int64_t before = -1) -> void {
        rows_.push_back(row);
        ops_.push_back(op);
        places_.push_back(place);
        befores_.push_back(before);
    }

    auto joined() const -> Result<Batch> {
        const auto& schema = fresh_.out.schema;
        arrow::ArrayVector values;
        arrow::ArrayVector olds;
        for (std::size_t i = 0; i < schema->columns.size(); ++i) {
            const auto column = first_table_column + static_cast<int>(i);
            const auto& old = old_.out.rows->column(column);
            values.push_back(
                TRY(take_values(TRY(concatenated(fresh_.out.rows->column(column), old)), places_)));
            olds.push_back(TRY(take_values(old, befores_)));
        }
        return batch_of(schema, batch_, rows_, ops_, std::move(values), TRY(befores(olds)));
    }

    // Null pointer: no row has an old one.
    auto befores(const arrow::ArrayVector& olds) const -> Result<ArrayPtr> {
        const auto is_given = [](std::int64_t place) { return place >= 0; };
        if (std::none_of(befores_.begin(), befores_.end(), is_given)) return ArrayPtr();
        arrow::TypedBufferBuilder<bool> given;
        for (const auto place : befores_)
            if (auto status = given.Append(is_given(place)); !status.ok()) return failed(status);
        auto bits = given.Finish();
        if (!bits.ok()) return failed(bits.status());
        arrow::FieldVector fields;
        for (const auto& column : fresh_.out.schema->columns)
            fields.push_back(arrow::field(column.name, column.type));
        auto array = arrow::StructArray::Make(olds, fields, *bits);
        if (!array.ok()) return failed(array.status());
        return ArrayPtr(*array);
    }

    const Batch& batch_;
    const Applied fresh_;
    const Applied old_;
    Applied result_;
    Numbers rows_;  // of the batch, for each of the output
    std::vector<Op> ops_;
    Numbers places_;
    Numbers befores_;
};

}  // namespace

auto has_old_rows(const Batch& batch) -> bool {
    for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row)
        if (op_of(batch, row) == Op::remove || has_before(batch, row)) return true;
    return false;
}

auto apply_with_old_rows(const Batch& batch, const PassRows& pass) -> Result<Applied> {
    auto fresh = TRY(pass(TRY(new_rows(batch))));
    auto old = TRY(pass(TRY(old_rows(batch))));
    return Joining(batch, std::move(fresh), std::move(old)).run();
}

}  // namespace leat::sql
