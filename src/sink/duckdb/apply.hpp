// Applies the staged rows of one table inside the open transaction: plain inserts straight into the
// table, everything else run by run as its net effect.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "sink/duckdb/client.hpp"
#include "sink/duckdb/schema.hpp"
#include "sink/duckdb/stage.hpp"

namespace leat::duckdb {

// `entries`: the table's batches in the stage, in order. The table stands at table.applied. A row
// that lacks its base is Fault::poison, one that should be there and is not is Fault::fatal.
auto apply_rows(Connection& connection, const TargetTable& table, const Stage& stage,
                const std::vector<std::size_t>& entries) -> Result<void>;

}  // namespace leat::duckdb
