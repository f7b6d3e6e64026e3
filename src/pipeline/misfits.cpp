// Finding such rows, and tables without the column.
#include "pipeline/misfits.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "format/widen/adapt.hpp"
#include "pipeline/gathering.hpp"

namespace leat {

namespace {

// -1: the table has none.
auto misfits_column(const TableSchema& schema) -> int {
    for (std::size_t i = 0; i < schema.columns.size(); ++i)
        if (schema.columns[i].logical_type == misfits_type) return static_cast<int>(i);
    return -1;
}

}  // namespace

auto misfits_of(const Batch& batch) -> std::vector<Rejection> {
    std::vector<Rejection> misfits;
    const int column = misfits_column(*batch.schema);
    if (column < 0) return misfits;
    const auto& name = batch.schema->columns[static_cast<std::size_t>(column)].name;
    const auto& texts =
        static_cast<const arrow::StringArray&>(*batch.rows->column(first_table_column + column));
    for (std::int64_t row = 0; row < texts.length(); ++row)
        if (texts.IsValid(row))
            misfits.push_back({row, RejectReason::does_not_fit_column, name, texts.GetString(row)});
    return misfits;
}

auto WithoutMisfits::operator()(const Batch& batch) -> Result<Batch> {
    const int column = misfits_column(*batch.schema);
    if (column < 0) return batch;
    if (!from_ || !is_same_version(from_, batch.schema)) {
        auto schema = std::make_shared<TableSchema>(*batch.schema);
        schema->columns.erase(schema->columns.begin() + column);
        for (auto& key : schema->key)
            if (key > column) --key;
        from_ = batch.schema;
        to_ = std::move(schema);
    }
    return adapt(batch, to_);
}

}  // namespace leat
