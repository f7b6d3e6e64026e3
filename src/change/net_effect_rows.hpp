// The rows of a NetEffect as Arrow batches, so that a sink needs no index logic of its own.
// Columns are named and typed as in the table. Values are copied, but for rows that stand together.
#pragma once

#include <memory>
#include <vector>

#include "change/collapse.hpp"

namespace leat {

using RecordBatchPtr = std::shared_ptr<arrow::RecordBatch>;

// Key columns in key order; one row per key of `deletes`.
auto delete_keys(const Batch& run, const NetEffect& effect) -> Result<RecordBatchPtr>;

// The table's columns; inserts and assembled rows, row_inserts repeated by their count.
auto insert_rows(const Batch& run, const NetEffect& effect) -> Result<RecordBatchPtr>;

// `rows`: the table's columns, then the base key in key order as `_base_0`, `_base_1`, …, then for
// each i a boolean `_keep_<i>`: column kept[i] of this row is taken from the base row (its value
// here is null). Columns outside `kept` are whole in all rows. Row i belongs to effect.patches[i].
struct PatchRows {
    RecordBatchPtr rows;
    std::vector<int> kept;  // indices of table columns, ascending
};
auto patch_rows(const Batch& run, const NetEffect& effect) -> Result<PatchRows>;

// The table's columns and `_count` (int64): how often each row is to be removed.
auto counted_deletes(const Batch& run, const NetEffect& effect) -> Result<RecordBatchPtr>;

}  // namespace leat
