// Columns whose type widened: which changes of a DuckDB type leave every value what it was, and the
// staged rows that were written before.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "sink/duckdb/column_type.hpp"

namespace leat::duckdb {

// DuckDB's own cast, as ALTER COLUMN … SET DATA TYPE does it, is exact.
auto widens(const ColumnType& from, const ColumnType& to) -> bool;

// The same values as an array of `type`, to which the array's own widens; spelled as DuckDB's cast
// would.
auto widen(const std::shared_ptr<arrow::Array>& array, const std::shared_ptr<arrow::DataType>& type)
    -> arrow::Result<std::shared_ptr<arrow::Array>>;

}  // namespace leat::duckdb
