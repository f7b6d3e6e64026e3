// Finds the rows that DuckDB cannot hold, before they enter an epoch.
#pragma once

#include "sink/sink.hpp"

namespace leat::duckdb {

// Ascending by row, one per row: its values and those of the old row it names.
auto judge_batch(const Batch& batch) -> Rejects;

}  // namespace leat::duckdb
