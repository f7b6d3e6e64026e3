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

auto sift(const Batch& batch) -> Result<Sifted> {
    Sifted sifted;
    auto& rejects = sifted.rejects;
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
    if (rejects.empty()) {
        sifted.accepted.push_back(batch);
        return sifted;
    }
    const auto by_row = [](const Reject& a, const Reject& b) { return a.row < b.row; };
    std::stable_sort(rejects.begin(), rejects.end(), by_row);
    const auto same_row = [](const Reject& a, const Reject& b) { return a.row == b.row; };
    rejects.erase(std::unique(rejects.begin(), rejects.end(), same_row), rejects.end());
    std::int64_t next = 0;
    const auto accept_until = [&](std::int64_t row) {
        if (row > next)
            sifted.accepted.push_back({batch.schema, batch.rows->Slice(next, row - next)});
        next = row + 1;
    };
    for (const auto& reject : rejects) accept_until(reject.row);
    accept_until(batch.rows->num_rows());
    return sifted;
}

}  // namespace leat::duckdb
