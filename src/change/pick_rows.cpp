// Gathers the picked rows column by column; see pick_rows.hpp.
#include "change/pick_rows.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

namespace leat {

namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
constexpr std::int64_t no_row = -1;  // NULL in take_values()

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "rows cannot be picked: " + status.message(), "", "pick"};
}

auto all_kept(const std::vector<PickedRow>& rows) -> bool {
    return std::all_of(rows.begin(), rows.end(),
                       [](const PickedRow& each) { return each.pick == Pick::keep; });
}

auto is_run(const std::vector<PickedRow>& rows) -> bool {
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i].row != rows[i - 1].row + 1) return false;
    return true;
}

class Picker {
public:
    Picker(const Batch& batch, const std::vector<PickedRow>& rows)
        : batch_(batch), rows_(rows), identity_(identity_columns(*batch.schema)) {}

    auto run() -> Result<Batch> {
        arrow::ArrayVector columns;
        columns.push_back(TRY(ops()));
        for (const int column : {commit_column, ordinal_column, commit_time_column})
            columns.push_back(TRY(take_values(batch_.rows->column(column), rows_of())));
        columns.push_back(TRY(before()));
        columns.push_back(TRY(unchanged()));
        const bool with_unchanged = columns.back()->type_id() != arrow::Type::NA;
        for (std::size_t i = 0; i < batch_.schema->columns.size(); ++i)
            columns.push_back(TRY(column(static_cast<int>(i))));
        const bool with_before = columns[before_column]->type_id() != arrow::Type::NA;
        const auto schema = TRY(to_arrow(
            *batch_.schema, {.with_before = with_before, .with_unchanged = with_unchanged}));
        return Batch{batch_.schema,
                     arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(rows_.size()),
                                              std::move(columns))};
    }

private:
    [[nodiscard]] auto rows_of() const -> std::vector<std::int64_t> {
        std::vector<std::int64_t> rows;
        rows.reserve(rows_.size());
        for (const auto& each : rows_) rows.push_back(each.row);
        return rows;
    }

    auto ops() -> Result<ArrayPtr> {
        const auto& from = static_cast<const arrow::UInt8Array&>(*batch_.rows->column(op_column));
        arrow::UInt8Builder builder;
        for (const auto& each : rows_) {
            auto op = from.Value(each.row);
            if (each.pick == Pick::remove) op = static_cast<std::uint8_t>(Op::remove);
            if (each.pick == Pick::move) op = static_cast<std::uint8_t>(Op::replace);
            if (each.pick == Pick::insert) op = static_cast<std::uint8_t>(Op::insert);
            if (auto status = builder.Append(op); !status.ok()) return arrow_error(status);
        }
        auto array = builder.Finish();
        if (!array.ok()) return arrow_error(array.status());
        return *array;
    }

    auto before() -> Result<ArrayPtr> {
        const auto& from = batch_.rows->column(before_column);
        auto rows = rows_of();
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows_[i].pick == Pick::remove || rows_[i].pick == Pick::insert) rows[i] = no_row;
        return take_values(from, rows);
    }

    auto unchanged() -> Result<ArrayPtr> {
        const auto& from = batch_.rows->column(unchanged_column);
        const bool moves = std::any_of(rows_.begin(), rows_.end(),
                                       [](const auto& each) { return each.pick == Pick::move; });
        if (from->type_id() == arrow::Type::NA && !moves) return take_values(from, rows_of());
        const auto columns = batch_.schema->columns.size();
        std::string others((columns + 7) / 8, '\0');
        for (std::size_t i = 0; i < columns; ++i)
            if (!batch_.schema->is_key(static_cast<int>(i)))
                others[i / 8] = static_cast<char>(others[i / 8] | (1 << (i % 8)));
        arrow::FixedSizeBinaryBuilder builder(
            arrow::fixed_size_binary(static_cast<std::int32_t>(others.size())));
        for (const auto& each : rows_) {
            arrow::Status status;
            if (each.pick == Pick::move) status = builder.Append(others);
            else if (each.pick == Pick::remove || from->IsNull(each.row) ||
                     from->type_id() == arrow::Type::NA)
                status = builder.AppendNull();
            else
                status = builder.Append(
                    static_cast<const arrow::FixedSizeBinaryArray&>(*from).GetView(each.row));
            if (!status.ok()) return arrow_error(status);
        }
        auto array = builder.Finish();
        if (!array.ok()) return arrow_error(array.status());
        return *array;
    }

    auto column(int index) -> Result<ArrayPtr> {
        const auto& after = batch_.rows->column(first_table_column + index);
        const auto field = std::find(identity_.begin(), identity_.end(), index);
        if (field != identity_.end())
            return identity_column(static_cast<int>(field - identity_.begin()), after);
        auto rows = rows_of();
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows_[i].pick != Pick::keep) rows[i] = no_row;
        return take_values(after, rows);
    }

    auto identity_column(int field, const ArrayPtr& after) -> Result<ArrayPtr> {
        const auto& before = batch_.rows->column(before_column);
        if (before->type_id() == arrow::Type::NA) return take_values(after, rows_of());
        const auto& olds = static_cast<const arrow::StructArray&>(*before);
        const auto old_values = olds.field(field);
        auto both = arrow::Concatenate({after, old_values});
        if (!both.ok()) return arrow_error(both.status());
        auto rows = rows_of();
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows_[i].pick == Pick::remove && olds.IsValid(rows[i])) rows[i] += after->length();
        return take_values(*both, rows);
    }

    const Batch& batch_;
    const std::vector<PickedRow>& rows_;
    const std::vector<int> identity_;
};

}  // namespace

auto row_indices(const std::vector<std::int64_t>& rows) -> Result<ArrayPtr> {
    arrow::Int64Builder indices;
    if (auto status = indices.Reserve(static_cast<std::int64_t>(rows.size())); !status.ok())
        return arrow_error(status);
    for (const auto row : rows) {
        if (row == no_row) indices.UnsafeAppendNull();
        else indices.UnsafeAppend(row);
    }
    auto array = indices.Finish();
    if (!array.ok()) return arrow_error(array.status());
    return *array;
}

auto take_values(const ArrayPtr& values, const arrow::Array& indices) -> Result<ArrayPtr> {
    auto taken =
        arrow::compute::Take(*values, indices, arrow::compute::TakeOptions::NoBoundsCheck());
    if (!taken.ok()) return arrow_error(taken.status());
    return *taken;
}

auto take_values(const ArrayPtr& values, const std::vector<std::int64_t>& rows)
    -> Result<ArrayPtr> {
    return take_values(values, *TRY(row_indices(rows)));
}

auto pick_rows(const Batch& batch, const std::vector<PickedRow>& rows) -> Result<Batch> {
    if (rows.empty()) return Batch{batch.schema, batch.rows->Slice(0, 0)};
    if (all_kept(rows) && is_run(rows))
        return Batch{batch.schema, batch.rows->Slice(rows.front().row,
                                                     static_cast<std::int64_t>(rows.size()))};
    return Picker(batch, rows).run();
}

auto is_partial(const Batch& batch, std::int64_t row) -> bool {
    const auto& unchanged = *batch.rows->column(unchanged_column);
    if (unchanged.type_id() == arrow::Type::NA || unchanged.IsNull(row)) return false;
    const auto bits = static_cast<const arrow::FixedSizeBinaryArray&>(unchanged).GetView(row);
    return bits.find_first_not_of('\0') != std::string_view::npos;
}

}  // namespace leat
