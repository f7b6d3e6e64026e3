// Tables without a key name an old row by all its values, so the old rows of updates and deletes go
// through the query as new ones do, and what comes out of both says what becomes of the change.
#pragma once

#include <functional>

#include "transform/transform.hpp"

namespace leat::sql {

// Whether a batch of such a table has old rows.
auto has_old_rows(const Batch& batch) -> bool;

// Rows of one image each, without `_before`, through the query.
using PassRows = std::function<Result<Applied>(const Batch&)>;

// An update becomes an update, an insert where the old row does not come out, a delete where the new
// one does not, or nothing. An old row that fails was rejected when it came and is nowhere: its
// delete is passed over. Where a new row is rejected, the delete of the old one stands before it.
auto apply_with_old_rows(const Batch& batch, const PassRows& pass) -> Result<Applied>;

}  // namespace leat::sql
