// Puts batches together column by column; see gathering.hpp.
#include "pipeline/gathering.hpp"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "base/check.hpp"

namespace leat {

namespace {

// Beyond, more rows at once gain nothing.
constexpr std::int64_t rows_enough = 10'000;

auto same_optional_columns(const Batch& a, const Batch& b) -> bool {
    for (const int column : {before_column, unchanged_column})
        if (a.rows->column(column)->type_id() != b.rows->column(column)->type_id()) return false;
    return true;
}

}  // namespace

auto is_same_version(const SchemaPtr& a, const SchemaPtr& b) -> bool {
    if (a == b) return true;
    return a->version == b->version && a->generation == b->generation && same_shape(*a, *b);
}

auto Gathering::suits(const Batch& batch, std::uint32_t lineage) const -> bool {
    if (batches_.empty()) return batch.rows->num_rows() > 0;
    return batch.rows->num_rows() > 0 && lineage == lineage_ &&
           is_same_version(batches_.front().schema, batch.schema) &&
           same_optional_columns(batches_.front(), batch);
}

auto Gathering::add(const Batch& batch, std::uint32_t lineage) -> void {
    batches_.push_back(batch);
    rows_ += batch.rows->num_rows();
    lineage_ = lineage;
}

auto Gathering::is_full() const -> bool { return rows_ >= rows_enough; }

auto Gathering::take() -> Result<Batch> {
    CHECK(!batches_.empty());
    const auto batches = std::exchange(batches_, {});
    const auto rows = std::exchange(rows_, 0);
    const auto& first = batches.front();
    if (batches.size() == 1) return first;
    arrow::ArrayVector columns;
    for (int i = 0; i < first.rows->num_columns(); ++i) {
        arrow::ArrayVector parts;
        for (const auto& batch : batches) parts.push_back(batch.rows->column(i));
        auto whole = arrow::Concatenate(parts);
        if (!whole.ok())
            return Error{Fault::fatal, "rows cannot be gathered: " + whole.status().message(), "",
                         to_string(first.schema->name)};
        columns.push_back(*std::move(whole));
    }
    return Batch{first.schema,
                 arrow::RecordBatch::Make(first.rows->schema(), rows, std::move(columns))};
}

}  // namespace leat
