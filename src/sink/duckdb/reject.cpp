// Judging a batch: its values and those of the old rows it names.
#include "sink/duckdb/reject.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "sink/duckdb/encode.hpp"

namespace leat::duckdb {

namespace {

auto judge_column(const arrow::Array& array, const Column& column, Rejects& rejects) -> void {
    std::vector<Misfit> misfits;
    judge(array, column_type(*column.type, column.logical_type), misfits);
    for (const auto& misfit : misfits)
        rejects.push_back({misfit.row, column.name, std::string(misfit.reason)});
}

}  // namespace

auto judge_batch(const Batch& batch) -> Rejects {
    Rejects rejects;
    for (std::size_t i = 0; i < batch.schema->columns.size(); ++i)
        judge_column(*batch.rows->column(first_table_column + static_cast<int>(i)),
                     batch.schema->columns[i], rejects);
    if (const auto& before = batch.rows->column(before_column);
        before->type_id() != arrow::Type::NA) {
        const auto identity = identity_columns(*batch.schema);
        const auto& rows = static_cast<const arrow::StructArray&>(*before);
        for (std::size_t i = 0; i < identity.size(); ++i)
            judge_column(*rows.field(static_cast<int>(i)),
                         batch.schema->columns[static_cast<std::size_t>(identity[i])], rejects);
    }
    const auto by_row = [](const Reject& a, const Reject& b) { return a.row < b.row; };
    std::stable_sort(rejects.begin(), rejects.end(), by_row);
    const auto same_row = [](const Reject& a, const Reject& b) { return a.row == b.row; };
    rejects.erase(std::unique(rejects.begin(), rejects.end(), same_row), rejects.end());
    return rejects;
}

}  // namespace leat::duckdb
