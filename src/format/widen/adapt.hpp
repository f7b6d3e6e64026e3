// Rows of one schema version as rows of a later one, and small batches joined into a run.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"

namespace leat {

// The batch as rows of `schema`, a later version of the same table and generation: a column that
// came later holds its default (the rows that existed got it too), and is unchanged in rows that
// leave something unchanged; one that went is left out, values of a widened one are widened.
auto adapt(const Batch& batch, const SchemaPtr& schema) -> Result<Batch>;

// Batches of the same schema, one after the other.
auto join(std::vector<Batch> batches) -> Result<Batch>;

}  // namespace leat
